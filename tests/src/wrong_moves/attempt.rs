//! A request that can be taken apart and put together again.

use std::collections::BTreeMap;

use crochet_client::{Client, Reply};
use http::Method;
use serde_json::Value;

use crate::failure::Failure;

/// The body of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    None,
    Json(Value),
    Raw(Vec<u8>),
}

/// A request, with the whole path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attempt {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    /// Sent after the other parameters, as it is.
    pub(super) raw_query: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Body,
}

impl Attempt {
    pub(super) fn new(method: Method, path: &str) -> Self {
        Self {
            method,
            path: format!("/api/v1{path}"),
            query: Vec::new(),
            raw_query: String::new(),
            headers: BTreeMap::new(),
            body: Body::None,
        }
    }

    pub(super) fn key(mut self, api_key: &str) -> Self {
        self.headers.insert("authorization".into(), format!("Bearer {api_key}"));
        self
    }

    pub(super) fn json(mut self, body: Value) -> Self {
        self.body = Body::Json(body);
        self
    }

    pub(super) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    pub(super) async fn send(&self, client: &Client) -> Result<Reply, Failure> {
        let path = if self.raw_query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.raw_query) };
        let mut request = client.site(self.method.clone(), &path);
        for (name, value) in &self.query {
            request = request.query(name, value);
        }
        let states_type = self.headers.contains_key("content-type");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = match &self.body {
            Body::None => request,
            Body::Json(body) if states_type => request.raw_body(body.to_string()),
            Body::Json(body) => request.json(body),
            Body::Raw(bytes) if states_type => request.raw_body(bytes.clone()),
            Body::Raw(bytes) => request.header("content-type", "application/json").raw_body(bytes.clone()),
        };
        Ok(request.send().await?)
    }

    /// The value of a field of the body, or of a query parameter.
    pub(super) fn value(&self, field: &str) -> Option<Value> {
        if let Some((_, value)) = self.query.iter().find(|(name, _)| name == field) {
            return Some(value.as_str().into());
        }
        match &self.body {
            Body::Json(body) => body.pointer(&format!("/{}", field.replace('.', "/"))).cloned(),
            _ => None,
        }
    }

    /// Takes a field out of the body or the query.
    pub(super) fn remove(&mut self, field: &str) -> Option<Value> {
        let value = self.value(field);
        self.query.retain(|(name, _)| name != field);
        if let Some((object, name)) = self.parent(field) {
            object.shift_remove(name);
        }
        value
    }

    /// Sets a field of the body or, for a request without a body, of the query.
    pub(super) fn set(&mut self, field: &str, value: Value) {
        if matches!(self.body, Body::Json(_)) {
            if let Some((object, name)) = self.parent(field) {
                object.insert(name.to_owned(), value);
            }
            return;
        }
        self.query.retain(|(name, _)| name != field);
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.query.push((field.to_owned(), text));
    }

    fn parent<'f>(&mut self, field: &'f str) -> Option<(&mut serde_json::Map<String, Value>, &'f str)> {
        let Body::Json(body) = &mut self.body else { return None };
        let (parents, name) = field.rsplit_once('.').unwrap_or(("", field));
        let mut at = body;
        for parent in parents.split('.').filter(|parent| !parent.is_empty()) {
            at = at.get_mut(parent)?;
        }
        at.as_object_mut().map(|object| (object, name))
    }
}
