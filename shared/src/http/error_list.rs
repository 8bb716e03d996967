//! Typed lists of the errors that a route can return. OpenAPI and the API reference are generated from them.
//!
//! ```
//! use crochet::http::caller::Agent;
//! use crochet::http::request::Json;
//!
//! struct NewListing;
//!
//! crochet::error_list!(CreateListingErrors: Agent, Json<NewListing>; InvalidSchema, EndpointRequired);
//!
//! #[utoipa::path(post, path = "/listings", responses((status = 201, description = "The listing."), CreateListingErrors))]
//! async fn create_listing() {}
//! ```
//!
//! The handler's extractors, or other lists, come before the semicolon; the codes that the handler itself returns come after it.
//! Either side may be empty: `error_list!(HealthErrors: Anonymous<ReadLimit>;)`. A group's own extractor declares its codes with
//! `error_list!(for ListingWriter: Seller; RateLimited);`. Codes in [`EVERY_ROUTE`] are in every list. A test fails if a route
//! returns a code that it does not declare.

use std::collections::BTreeMap;

use axum::extract::Path;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::caller::{Agent, Anonymous, Caller};
use super::codes::Code;
use super::limited::Limited;
use super::request::{Json, JsonOrNothing, Query};
use super::session::Person;

/// Codes that any route can return.
pub const EVERY_ROUTE: &[Code] = &[Code::UnknownField, Code::HeaderTooLarge, Code::InternalError];

/// The codes that a route, or an extractor, can return.
pub trait ErrorList {
    /// Adds the codes to `codes`, in any order. Repetitions do not matter.
    fn add_to(codes: &mut Vec<Code>);

    /// The codes of a route with this list, each once, in the order of [`Code::ALL`].
    #[must_use]
    fn codes() -> Vec<Code> {
        let mut listed = EVERY_ROUTE.to_vec();
        Self::add_to(&mut listed);
        Code::ALL.iter().copied().filter(|code| listed.contains(code)).collect()
    }
}

/// Declares a list of errors, or the errors of an extractor. See the module.
#[macro_export]
macro_rules! error_list {
    (for $extractor:ty: $($list:ty),*; $($code:ident),* $(,)?) => {
        impl $crate::http::error_list::ErrorList for $extractor {
            fn add_to(codes: &mut Vec<$crate::http::Code>) {
                $(<$list as $crate::http::error_list::ErrorList>::add_to(codes);)*
                codes.extend([$($crate::http::Code::$code),*] as [$crate::http::Code; _]);
            }
        }
    };
    ($name:ident: $($list:ty),*; $($code:ident),* $(,)?) => {
        pub(crate) enum $name {}

        $crate::error_list!(for $name: $($list),*; $($code),*);

        impl ::utoipa::IntoResponses for $name {
            fn responses() -> ::std::collections::BTreeMap<String, ::utoipa::openapi::RefOr<::utoipa::openapi::Response>> {
                $crate::http::error_list::responses(&<$name as $crate::http::error_list::ErrorList>::codes())
            }
        }
    };
}

pub use crate::error_list;

/// One response for each status of `codes`. The body is the error envelope; `error.code` is one of the status's codes.
#[must_use]
pub fn responses(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status().as_str().to_owned()).or_default().push(code.as_str());
    }
    by_status.into_iter().map(|(status, names)| (status, response(&names).into())).collect()
}

fn response(names: &[&str]) -> Response {
    let error = ObjectBuilder::new()
        .property("code", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names.iter().copied())));
    let schema =
        AllOfBuilder::new().item(Ref::from_schema_name("ErrorEnvelope")).item(ObjectBuilder::new().property("error", error));
    ResponseBuilder::new()
        .description(names.join(", "))
        .content("application/json", ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

error_list!(for Agent: ; Unauthorized, InvalidApiKey, RateLimited, ServiceUnavailable);
// A write adds CrossSiteRequest: reads are not refused.
error_list!(for Person: ; SessionRequired, RateLimited, ServiceUnavailable);
error_list!(for Caller: Agent, Person;);

impl<C: ErrorList, L> ErrorList for Limited<C, L> {
    fn add_to(codes: &mut Vec<Code>) {
        C::add_to(codes);
        codes.extend([Code::InsufficientScope, Code::RateLimited, Code::ServiceUnavailable]);
    }
}

impl<L> ErrorList for Anonymous<L> {
    fn add_to(codes: &mut Vec<Code>) {
        codes.extend([Code::RateLimited, Code::ServiceUnavailable]);
    }
}

impl<T> ErrorList for Json<T> {
    fn add_to(codes: &mut Vec<Code>) {
        codes.extend([
            Code::InvalidJson,
            Code::UnknownField,
            Code::InvalidRequest,
            Code::UnsupportedMediaType,
            Code::PayloadTooLarge,
        ]);
    }
}

impl<T> ErrorList for JsonOrNothing<T> {
    fn add_to(codes: &mut Vec<Code>) {
        Json::<T>::add_to(codes);
    }
}

impl<T> ErrorList for Query<T> {
    fn add_to(codes: &mut Vec<Code>) {
        codes.extend([Code::UnknownField, Code::InvalidRequest]);
    }
}

/// A path that is not percent-encoded UTF-8 is refused.
impl<T> ErrorList for Path<T> {
    fn add_to(codes: &mut Vec<Code>) {
        codes.push(Code::InvalidRequest);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    error_list!(ExampleErrors: Agent, Path<String>; InvalidRequest, ListingNotFound);

    #[test]
    fn a_list_has_the_codes_of_its_extractors_its_own_and_those_of_every_route_once() {
        let names: Vec<&str> = ExampleErrors::codes().iter().map(|code| code.as_str()).collect();
        let expected = [
            "UNKNOWN_FIELD",
            "INVALID_REQUEST",
            "HEADER_TOO_LARGE",
            "RATE_LIMITED",
            "INTERNAL_ERROR",
            "SERVICE_UNAVAILABLE",
            "UNAUTHORIZED",
            "INVALID_API_KEY",
            "LISTING_NOT_FOUND",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_response_names_the_codes_of_its_status() {
        let responses = serde_json::to_value(<ExampleErrors as utoipa::IntoResponses>::responses()).expect("JSON");
        let schema = &responses["401"]["content"]["application/json"]["schema"]["allOf"];
        assert_eq!(schema[0], json!({ "$ref": "#/components/schemas/ErrorEnvelope" }));
        let code = &schema[1]["properties"]["error"]["properties"]["code"];
        assert_eq!(*code, json!({ "type": "string", "enum": ["UNAUTHORIZED", "INVALID_API_KEY"] }));
    }
}
