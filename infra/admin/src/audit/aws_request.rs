//! Signed requests to services of AWS whose SDKs are not worth their size here.

use std::time::{Duration, UNIX_EPOCH};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use crochet::outbound::operator_client;
use serde_json::Value;

/// A service that answers at `<name>.<region>.amazonaws.com`, or at the endpoint of a local stack.
#[derive(Debug, Clone)]
pub(super) struct Service<'a> {
    pub(super) name: &'static str,
    pub(super) endpoint: Option<&'a str>,
}

/// What AWS answered.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) is_success: bool,
    /// `null` if the answer is no JSON.
    pub(super) body: Value,
}

impl Answer {
    /// The name of the error.
    pub(super) fn error(&self) -> &str {
        let kind = self.body["__type"].as_str().unwrap_or("an unknown error");
        kind.rsplit('#').next().unwrap_or(kind)
    }
}

/// Signs and sends a POST. `now_ms` is the time of the signature (Unix milliseconds), which AWS compares with its own.
///
/// # Errors
/// Words that can follow a colon: there are no credentials, or no answer came.
pub(super) async fn post(
    service: &Service<'_>,
    config: &SdkConfig,
    headers: &[(&str, &str)],
    body: String,
    now_ms: i64,
) -> Result<Answer, String> {
    let region = config.region().ok_or("AWS_REGION is not set")?.as_ref();
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let host = || format!("https://{}.{region}.{suffix}/", service.name);
    let url = service.endpoint.map_or_else(host, |endpoint| format!("{endpoint}/"));
    let credentials = config.credentials_provider().ok_or("there are no AWS credentials")?;
    let credentials = credentials.provide_credentials().await.map_err(|error| error.to_string())?;
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service.name)
        .time(UNIX_EPOCH + Duration::from_millis(u64::try_from(now_ms).unwrap_or_default()))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let mut request = http::Request::post(&url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(body).map_err(|error| error.to_string())?;
    let signable = SignableRequest::new("POST", &url, headers.iter().copied(), SignableBody::Bytes(request.body().as_bytes()));
    let signed = sign(signable.map_err(|error| error.to_string())?, &parameters).map_err(|error| error.to_string())?;
    signed.into_parts().0.apply_to_request_http1x(&mut request);
    let request = reqwest::Request::try_from(request).map_err(|error| error.to_string())?;
    let reply = operator_client().execute(request).await.map_err(|error| error.without_url().to_string())?;
    let is_success = reply.status().is_success();
    Ok(Answer { is_success, body: reply.json().await.unwrap_or_default() })
}
