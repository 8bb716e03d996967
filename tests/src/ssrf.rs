//! Stacks with the endpoint rules of a deployment, and the routes that accept or call a URL.

mod addresses;
mod routes;

use std::sync::Arc;

pub use addresses::{NOT_PUBLIC, PUBLIC};
pub use routes::{CallResult, CallRoute, UrlRoute};

use crate::failure::{Failure, Outcome};
use crate::internet::Internet;
use crate::market::Market;
use crate::setup::{Setup, with_setup};
use crate::world::World;

/// Runs a test on a stack with the endpoint rules of a deployment. Port `also` is allowed too, so that a trap is not refused
/// for its port alone.
pub fn with_deployment_rules(also: u16, internet: &Arc<Internet>, test: impl AsyncFnOnce(&World) -> Outcome) -> Outcome {
    let ports = format!("443,{also}");
    let mut setup = Setup::settings(&[
        ("CROCHET_INSECURE_ENDPOINTS", ""),
        ("CROCHET_PUBLIC_URL", "https://market.example.org"),
        ("CROCHET_ENDPOINT_PORTS", &ports),
    ]);
    setup.sellers = Some(internet.for_stack());
    with_setup(setup, test)
}

/// A market with a free listing whose endpoint is at this URL.
pub async fn market_at_url<'a>(world: &'a World, url: &str) -> Result<Market<'a>, Failure> {
    let mut fields = world.free_fields("/echo");
    fields["private_endpoint_url"] = url.into();
    let (buyer, seller) = (world.agent().await?, world.agent().await?);
    let listing = seller.create_listing(&fields).await?;
    Ok(Market { world, buyer, seller, listing, path: String::new() })
}
