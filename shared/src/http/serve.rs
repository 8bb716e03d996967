//! Runs a group of routes as a Lambda function.

use axum::Router;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;
use lambda_http::request::RequestContext;
use lambda_http::{Adapter, Request, RequestExt, service_fn};
use tokio::sync::OnceCell;
use tower::ServiceExt;
use url::Url;
use utoipa_axum::router::OpenApiRouter;

use super::escaped::Escaped;
use super::service::envelope;
use crate::app::{self, App};
use crate::config::Config;

/// What ends a function: it could not start, or the runtime failed.
pub type Error = lambda_http::Error;

/// Serves the routes that `router` makes for the app that `connect` makes. The process exits if the configuration is not valid.
///
/// Without a public URL, the routes are made when the first request tells the name of the API, over the connections that were
/// opened before.
///
/// # Errors
/// Those of `router`, or of the runtime.
pub async fn serve<C, R>(connect: impl FnOnce(Config) -> C, router: impl Fn(App) -> R + Sync) -> Result<(), Error>
where
    C: Future<Output = App>,
    R: Future<Output = Result<OpenApiRouter, Error>> + Send,
{
    let app = connect(app::start()).await;
    if !app.config.public_url_is_gateways {
        let routes = routes(&router, app).await?;
        return lambda_http::lambda_runtime::run(Escaped(Adapter::from(routes))).await;
    }
    let (app, named) = (&app, &OnceCell::new());
    let router = &router;
    let service = service_fn(async move |request: Request| -> Result<_, Error> {
        let routes = named.get_or_try_init(|| async {
            let url = gateways_url(request.request_context_ref()).ok_or("API Gateway tells no id of the API; set PublicUrl")?;
            routes(router, app.at(url)).await
        });
        Ok(routes.await?.clone().oneshot(request).await?)
    });
    lambda_http::lambda_runtime::run(Escaped(Adapter::from(service))).await
}

async fn routes<R>(router: &impl Fn(App) -> R, app: App) -> Result<Router, Error>
where
    R: Future<Output = Result<OpenApiRouter, Error>>,
{
    let (routes, _) = router(app.clone()).await?.split_for_parts();
    Ok(envelope(routes, app))
}

/// The URL under API Gateway's own name. A request that came by another name, such as a domain that was mapped by hand, tells the
/// API's id all the same, and the name follows from it: one deployment has one public URL.
fn gateways_url(context: Option<&RequestContext>) -> Option<Url> {
    let Some(RequestContext::ApiGatewayV2(context)) = context else { return None };
    let id = context.apiid.as_deref().filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    let host = own_name(context, id).or_else(|| {
        let region = std::env::var("AWS_REGION").ok()?;
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        Some(format!("{id}.execute-api.{region}.{suffix}"))
    })?;
    Url::parse(&format!("https://{host}")).ok()
}

fn own_name(context: &ApiGatewayV2httpRequestContext, id: &str) -> Option<String> {
    let name = context.domain_name.clone()?;
    name.strip_prefix(id)?.starts_with(".execute-api.").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(id: &str, name: &str) -> Option<String> {
        let mut context = ApiGatewayV2httpRequestContext::default();
        context.apiid = Some(id.to_owned());
        context.domain_name = Some(name.to_owned());
        gateways_url(Some(&RequestContext::ApiGatewayV2(context))).map(String::from)
    }

    #[test]
    fn the_public_url_is_the_apis_own_name() {
        let own = "https://a1b2.execute-api.eu-west-1.amazonaws.com/";
        assert_eq!(url("a1b2", "a1b2.execute-api.eu-west-1.amazonaws.com").as_deref(), Some(own));
        // The domain belongs to somebody else's API, or was mapped by hand: the name of the id counts, if the region is known.
        assert_ne!(url("a1b2", "market.example").as_deref(), Some("https://market.example/"));
        assert_eq!(url("", "x.execute-api.eu-west-1.amazonaws.com"), None);
        assert_eq!(url("a/b", "a/b.execute-api.eu-west-1.amazonaws.com"), None);
        assert_eq!(gateways_url(None), None);
    }
}
