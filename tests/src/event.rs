//! Events as API Gateway sends them to functions (payload format 2.0), and what functions return.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use crochet_client::Client;
use http::Method;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::outside::{Function, invoke};
use crate::world::World;

/// A request, as API Gateway tells a function of it.
#[derive(Debug, Clone, Default)]
pub struct Event {
    /// The method. Empty means GET.
    pub method: &'static str,
    /// The path, as it was sent.
    pub path: String,
    /// The query, as it was sent.
    pub query: &'static str,
    /// Names in lower case. API Gateway joins the values of repeated headers with commas.
    pub headers: Vec<(&'static str, String)>,
    /// Cookies, apart from the headers.
    pub cookies: Vec<String>,
    /// The body. Binary bodies are encoded in base64.
    pub body: Option<String>,
    /// Whether the body is in base64.
    pub is_base64: bool,
}

/// What a function returns.
#[derive(Debug)]
pub struct Returned {
    /// The HTTP status.
    pub status: u64,
    /// The headers, without cookies.
    pub headers: Map<String, Value>,
    /// Values of `Set-Cookie`.
    pub cookies: Vec<String>,
    /// The body's bytes.
    pub body: Bytes,
}

impl World {
    /// Hands an event to a function. A stack in this process is sent the request that the event describes.
    ///
    /// # Errors
    /// If the function returns no response.
    pub async fn event(&self, function: Function, event: &Event) -> Result<Returned, Failure> {
        match invoke(function, &event.to_json()).await? {
            Some(returned) => Returned::parse(&returned),
            None => event.send(&self.client).await,
        }
    }
}

impl Event {
    fn method(&self) -> &'static str {
        if self.method.is_empty() { "GET" } else { self.method }
    }

    fn to_json(&self) -> Value {
        let mut headers = Map::from_iter(self.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        headers.insert("host".into(), json!("market.example.org"));
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": self.path,
            "rawQueryString": self.query,
            "cookies": self.cookies,
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api",
                "domainName": "market.example.org",
                "domainPrefix": "market",
                "http": {
                    "method": self.method(), "path": self.path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "suite",
                },
                "requestId": "request",
                "routeKey": "$default",
                "stage": "$default",
                "time": "01/Jan/2026:00:00:00 +0000",
                "timeEpoch": 1_767_225_600_000_u64,
            },
            "body": self.body,
            "isBase64Encoded": self.is_base64,
        })
    }

    async fn send(&self, client: &Client) -> Result<Returned, Failure> {
        let method = Method::from_bytes(self.method().as_bytes())?;
        let joint = if self.query.is_empty() { "" } else { "?" };
        let mut request = client.site(method, &format!("{}{joint}{}", self.path, self.query));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !self.cookies.is_empty() {
            request = request.header("cookie", &self.cookies.join("; "));
        }
        if let Some(body) = &self.body {
            request = request.raw_body(if self.is_base64 { STANDARD.decode(body)? } else { body.clone().into_bytes() });
        }
        let reply = request.send().await?;
        let mut returned =
            Returned { status: reply.status.into(), headers: Map::new(), cookies: Vec::new(), body: reply.body.clone() };
        for (name, value) in &reply.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            if name == "set-cookie" {
                returned.cookies.push(value);
            } else {
                returned.headers.insert(name.to_string(), value.into());
            }
        }
        Ok(returned)
    }
}

impl Returned {
    fn parse(returned: &Value) -> Result<Self, Failure> {
        let status = returned["statusCode"].as_u64().ok_or_else(|| Failure::new(format!("no response, but {returned}")))?;
        let body = returned["body"].as_str().unwrap_or_default();
        let body = if returned["isBase64Encoded"] == true { STANDARD.decode(body)? } else { body.as_bytes().to_vec() };
        let cookies = returned["cookies"].as_array().cloned().unwrap_or_default();
        Ok(Self {
            status,
            headers: returned["headers"].as_object().cloned().unwrap_or_default(),
            cookies: cookies.iter().filter_map(|cookie| cookie.as_str().map(str::to_owned)).collect(),
            body: body.into(),
        })
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// If it is none.
    pub fn json(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// The error code in the body, empty without one.
    #[must_use]
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}
