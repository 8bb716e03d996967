//! No connection is opened to a non-public address, whatever the spelling, the DNS reply or the redirect.
//!
//! The stacks have the rules of a deployment. Tests define how names resolve, and every connection of the service is counted
//! and redirected to a trap on this machine. URLs are sent to every route that accepts one, and also stored directly in the
//! secret, so that the call itself must refuse them.

mod spellings;

use std::net::{IpAddr, SocketAddr};

use crochet_tests::internet::{Internet, SELLER, Speech};
use crochet_tests::ssrf::{CallResult, CallRoute, NOT_PUBLIC, PUBLIC, UrlRoute, market_at_url, with_deployment_rules};
use crochet_tests::{Failure, Market, Outcome, Replies};
use serde_json::json;

fn ip(text: &str) -> Result<IpAddr, Failure> {
    text.parse().map_err(|_| Failure::new(format!("no address: {text}")))
}

/// Calls through both routes and expects a refusal without a connection. Returns the number of calls.
async fn opens_nothing(market: &Market<'_>, internet: &Internet, vector: &str) -> Result<usize, Failure> {
    for route in CallRoute::ALL {
        drop(internet.take_looked_up());
        let (came, reply) = route.send(market).await?;
        let dialled = internet.take_dialled();
        assert!(dialled.is_empty(), "{route:?} dialled {dialled:?} for {vector}");
        assert_eq!(came, route.refusal(), "{route:?} of {vector}: {}", reply.text());
        assert!(internet.take_looked_up().len() <= 1, "{route:?} of {vector}: a second look-up may say something else");
    }
    Ok(CallRoute::ALL.len())
}

#[test]
fn urls_that_may_not_be_called_are_refused_at_every_entrance_and_again_at_the_call() -> Outcome {
    let internet = crochet_tests::internet()?;
    let port = internet.trap.address().port();
    with_deployment_rules(port, &internet, async |world| {
        let market = market_at_url(world, "https://shop.example.net/ok").await?;
        let urls = spellings::refused(port);
        let (mut entered, mut called) = (0, 0);
        for url in &urls {
            for entrance in UrlRoute::ALL {
                let reply = entrance.send(&market, url).await?;
                assert_eq!(
                    (reply.status, reply.code()),
                    (400, "ENDPOINT_URL_REFUSED"),
                    "{entrance:?} of {url:?}: {}",
                    reply.text()
                );
                entered += 1;
            }
            market.store_url(url).await?;
            called += opens_nothing(&market, &internet, url).await?;
        }
        assert_eq!((internet.take_dialled(), internet.trap.opened()), (Vec::new(), 0));
        println!("{} URLs, handed in {entered} times and called {called} times: 0 sockets opened", urls.len());
        Ok(())
    })
}

/// The address alone, and before and after a public one.
fn mixtures(bad: IpAddr) -> [Vec<IpAddr>; 3] {
    [vec![bad], vec![SELLER, bad], vec![bad, SELLER]]
}

#[test]
fn a_name_with_any_address_that_is_not_public_is_refused_whole() -> Outcome {
    let internet = crochet_tests::internet()?;
    with_deployment_rules(8443, &internet, async |world| {
        let market = market_at_url(world, "https://shop.example.net/ok").await?;
        assert!(NOT_PUBLIC.len() >= 72);
        let (mut vectors, mut called) = (0, 0);
        for (n, bad) in NOT_PUBLIC.iter().enumerate() {
            for (m, answer) in mixtures(ip(bad)?).iter().enumerate() {
                let name = format!("v{n}-{m}.example.net");
                internet.resolve(&name, &[answer]);
                let url = format!("https://{name}/ok");
                let entrance = UrlRoute::ALL[(n + m) % UrlRoute::ALL.len()];
                let reply = entrance.send(&market, &url).await?;
                assert_eq!(
                    (reply.status, reply.code()),
                    (400, "ENDPOINT_URL_REFUSED"),
                    "{entrance:?} of {answer:?}: {}",
                    reply.text()
                );
                assert!(!reply.text().contains(bad) || bad.len() < 3, "no address leaks: {}", reply.text());
                market.store_url(&url).await?;
                called += opens_nothing(&market, &internet, &format!("{answer:?}")).await?;
                vectors += 1;
            }
        }
        assert_eq!(internet.trap.opened(), 0);
        println!("{vectors} answers of a resolver, called {called} times: 0 sockets opened");
        Ok(())
    })
}

#[test]
fn a_name_that_is_public_when_it_is_checked_and_private_when_it_is_called_opens_nothing() -> Outcome {
    let internet = crochet_tests::internet()?;
    with_deployment_rules(8443, &internet, async |world| {
        let (mut vectors, mut called) = (0, 0);
        let market = market_at_url(world, "https://shop.example.net/ok").await?;
        for (n, bad) in NOT_PUBLIC.iter().enumerate() {
            let name = format!("rebind{n}.example.net");
            internet.resolve(&name, &[&[SELLER], &[ip(bad)?]]);
            let entrance = if n % 2 == 0 { UrlRoute::Update } else { UrlRoute::PutEndpoint };
            entrance.send(&market, &format!("https://{name}/ok")).await?.ok(200);
            called += opens_nothing(&market, &internet, &name).await?;
            vectors += 1;
        }
        // From answer to answer: a call looks up once, and dials what it was told then.
        for n in 0..10 {
            let name = format!("flip{n}.example.net");
            let bad = ip(NOT_PUBLIC[n * 7])?;
            internet.resolve(&name, &[&[SELLER], &[SELLER], &[bad]]);
            market.store_url(&format!("https://{name}/ok")).await?;
            for route in CallRoute::ALL {
                assert_eq!(route.send(&market).await?.0, CallResult::Answer(200), "{route:?}");
                assert_eq!(internet.take_dialled(), [SocketAddr::new(SELLER, 443)]);
            }
            called += opens_nothing(&market, &internet, &name).await?;
            vectors += 1;
        }
        println!("{vectors} names that rebind, called {called} times: 0 sockets opened to what they rebound to");
        Ok(())
    })
}

#[test]
fn redirects_are_not_followed_wherever_they_point() -> Outcome {
    let internet = crochet_tests::internet()?;
    let target = crochet_tests::trap(Speech::Plain)?;
    with_deployment_rules(target.address().port(), &internet, async |world| {
        let market = market_at_url(world, "https://shop.example.net/ok").await?;
        let port = target.address().port();
        let targets = [
            format!("http://127.0.0.1:{port}/"),
            format!("https://127.0.0.1:{port}/"),
            format!("http://localhost:{port}/"),
            "http://169.254.169.254/latest/meta-data/iam/".to_owned(),
            "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next".to_owned(),
            format!("//127.0.0.1:{port}/"),
            "https://other.example.net/ok".to_owned(),
            "/ok".to_owned(),
        ];
        let mut vectors = 0;
        for status in [301, 302, 303, 307, 308] {
            for to in &targets {
                market.store_url(&format!("https://shop.example.net/redirect/{status}/{to}")).await?;
                for route in CallRoute::ALL {
                    let (came, reply) = route.send(&market).await?;
                    assert_eq!(came, CallResult::Failure("status".into()), "{route:?} of {status} to {to}");
                    assert!(!reply.text().contains("127.0.0.1") && !reply.text().contains("example.net"), "{}", reply.text());
                    assert_eq!(internet.take_dialled(), [SocketAddr::new(SELLER, 443)], "{route:?} of {status} to {to}");
                    vectors += 1;
                }
            }
        }
        assert_eq!(target.opened(), 0);
        println!("{vectors} redirects: the seller dialled each time, and nobody else");
        Ok(())
    })
}

#[test]
fn public_addresses_are_dialled_and_answer() -> Outcome {
    let internet = crochet_tests::internet()?;
    with_deployment_rules(8443, &internet, async |world| {
        let market = market_at_url(world, "https://shop.example.net/ok").await?;
        for (n, good) in PUBLIC.iter().enumerate() {
            let name = format!("good{n}.example.net");
            internet.resolve(&name, &[&[ip(good)?]]);
            let port = if n % 2 == 0 { 443 } else { 8443 };
            let url = format!("https://{name}:{port}/ok");
            UrlRoute::ALL[1 + n % 2].send(&market, &url).await?.ok(200);
            for route in CallRoute::ALL {
                let (came, reply) = route.send(&market).await?;
                assert_eq!(came, CallResult::Answer(200), "{route:?} of {good}: {}", reply.text());
                assert_eq!(internet.take_dialled(), [SocketAddr::new(ip(good)?, port)], "{route:?} of {good}");
            }
        }
        assert_eq!(internet.trap.opened(), 2 * PUBLIC.len());
        println!("{} public addresses dialled through both routes", PUBLIC.len());
        Ok(())
    })
}

#[test]
fn a_paid_call_is_settled_and_not_forwarded_to_an_address_that_is_not_public() -> Outcome {
    let internet = crochet_tests::internet()?;
    with_deployment_rules(8443, &internet, async |world| {
        internet.resolve("paid.example.net", &[&[SELLER], &[ip("169.254.169.254")?]]);
        let mut fields = world.paid_fields(&json!(1), "/echo");
        fields["private_endpoint_url"] = "https://paid.example.net/ok".into();
        let (buyer, seller) = (world.agent().await?, world.agent().await?);
        let listing = seller.create_listing(&fields).await?;
        let market = Market { world, buyer, seller, listing, path: String::new() };
        let body = json!({ "n": 1 });
        let quote = market.paid(&body).await?;
        let reply = market.redeem(&quote, &body).await?;
        let error = reply.refused(502, "SELLER_UNREACHABLE");
        assert_eq!((&error["details"]["settled"], &error["details"]["delivered"]), (&json!(true), &json!(false)));
        assert!(internet.take_dialled().is_empty() && internet.trap.opened() == 0);
        // The name leads to the seller again: the paid id is delivered.
        internet.resolve("paid.example.net", &[&[SELLER]]);
        world.later(2).await?;
        market.redeem(&quote, &body).await?.ok(200);
        Ok(())
    })
}
