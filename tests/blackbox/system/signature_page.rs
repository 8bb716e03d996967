//! The endpoints of docs/verify-signatures.md, run as they are on the page: they accept what the gateway forwards and reject
//! anything modified.

use std::time::{SystemTime, UNIX_EPOCH};

use crochet_tests::signature_page::{PAGE, snippet};
use crochet_tests::{EndpointProgram, Failure, Market, Outcome, Replies, Reply, RunningEndpoint, World, list, shared, text};
use http::Method;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

/// A body that changes when it is parsed as JSON and serialized again.
const BODY: &str = "{ \"n\" : 1e2, \"text\":\"Grüße 🦀\",\n \"nested\" : {\"b\":[ ],\"a\":null} }";

/// A request as received by an endpoint.
#[derive(Clone)]
struct Sent {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Sent {
    /// A request forwarded by the gateway, as received by the demo seller.
    async fn captured(market: &Market<'_>) -> Result<Self, Failure> {
        market.call_raw(BODY).send().await?.ok(200);
        let call = market.all_received().await?.pop().ok_or_else(|| Failure::new("the seller received nothing"))?;
        let of_this_hop = ["host", "content-length", "connection"];
        let pairs = list(&call, "header_list").iter().filter_map(|pair| Some((pair[0].as_str()?, pair[1].as_str()?)));
        let headers = pairs.filter(|(name, _)| !of_this_hop.contains(name)).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        assert_eq!(text(&call, "body"), BODY);
        Ok(Self { headers, body: BODY.into() })
    }

    /// Signs it with `secret` and a timestamp this many seconds from now.
    fn signed(secret: &str, id: &str, from_now: i64, body: &str) -> Result<Self, Failure> {
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
        let webhook = Webhook::new(secret)?;
        let signature = webhook.sign(id, now + from_now, body.as_bytes())?;
        let timestamp = (now + from_now).to_string();
        let headers = [("webhook-id", id), ("webhook-timestamp", &timestamp), ("webhook-signature", &signature)];
        Ok(Self { headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(), body: body.into() })
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Replaces or removes a header.
    fn with(&self, name: &str, value: Option<&str>) -> Self {
        let mut changed = self.clone();
        changed.headers.retain(|(known, _)| known != name);
        changed.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        changed
    }

    fn with_body(&self, body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..self.clone() }
    }

    async fn to(&self, world: &World, endpoint: &RunningEndpoint) -> Result<Reply, Failure> {
        let mut request = world.client.request(Method::POST, endpoint.url());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Ok(request.raw_body(self.body.clone()).send().await?)
    }
}

/// The endpoint accepts the forwarded request and rejects modified ones.
async fn verifies(world: &World, program: &EndpointProgram) -> Outcome {
    let market = world.free_market(&world.echo_path()).await?;
    let sent = Sent::captured(&market).await?;
    let secret = &market.listing.signing_secret;
    let endpoint = program.start(secret).await?;
    let taken = sent.to(world, &endpoint).await?;
    assert_eq!(taken.status, 200, "{}", taken.text());
    let echo = &taken.json["you_sent"];
    // Languages spell 1e2 in their own ways.
    assert_eq!((echo["n"].as_f64(), &echo["text"]), (Some(100.0), &json!("Grüße 🦀")), "{echo}");

    let later = (sent.header("webhook-timestamp").parse::<i64>()? + 1).to_string();
    let cut = &sent.header("webhook-signature")[..20];
    let changed = [
        ("a changed number", sent.with_body(BODY.replace("1e2", "1e3").as_bytes())),
        ("one space more", sent.with_body(format!("{BODY} ").as_bytes())),
        ("the same JSON, spelled anew", sent.with_body(serde_json::from_str::<Value>(BODY)?.to_string().as_bytes())),
        ("no body", sent.with_body(b"")),
        ("no text", sent.with_body(b"\"\xff\xfe\"")),
        ("another id", sent.with("webhook-id", Some("gw_req_01JZ8Q4W0V6Y3N5T7X9B1D2F4H"))),
        ("another time", sent.with("webhook-timestamp", Some(&later))),
        ("no time", sent.with("webhook-timestamp", Some("soon"))),
        ("a cut signature", sent.with("webhook-signature", Some(cut))),
        ("a signature of another kind", sent.with("webhook-signature", Some("v1a,AAAA"))),
        ("a signature without a kind", sent.with("webhook-signature", Some("AAAA"))),
        ("a signature that is no base64", sent.with("webhook-signature", Some("v1,%%%"))),
        ("no id", sent.with("webhook-id", None)),
        ("no time at all", sent.with("webhook-timestamp", None)),
        ("no signature", sent.with("webhook-signature", None)),
        ("another secret", Sent::signed("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "other", 0, BODY)?),
        ("six minutes old", Sent::signed(secret, "old", -360, BODY)?),
        ("six minutes early", Sent::signed(secret, "early", 360, BODY)?),
    ];
    for (what, request) in changed {
        let refused = request.to(world, &endpoint).await?;
        assert_eq!(refused.status, 401, "{what}: {}", refused.text());
    }
    assert_eq!(Sent::signed(secret, "late", -240, "1")?.to(world, &endpoint).await?.status, 200, "four minutes on the way");

    // A repeat is answered with the first answer, even where it says something else.
    let repeat = Sent::signed(secret, sent.header("webhook-id"), 0, "\"something else\"")?;
    let answer = repeat.to(world, &endpoint).await?;
    assert_eq!((answer.status, &answer.json), (200, &taken.json));
    Ok(())
}

async fn change(market: &Market<'_>, url: &str) -> Outcome {
    let path = format!("/listings/{}/endpoint", market.listing.id);
    market.seller.put(&path).json(&json!({ "private_endpoint_url": url })).send().await?.ok(200);
    Ok(())
}

async fn rotate(market: &Market<'_>, rotation: Value) -> Result<String, Failure> {
    let path = format!("/listings/{}/endpoint/rotate-secret", market.listing.id);
    let reply = market.seller.post(&path).json(&rotation).send().await?;
    Ok(text(&reply.ok(200)["gateway_endpoint"], "signing_secret").to_owned())
}

/// The endpoint works before, during and after a rotation, and the old secret stops working.
async fn rotates(world: &World, program: &EndpointProgram) -> Outcome {
    let market = world.free_market(&world.echo_path()).await?;
    let old = program.start(&market.listing.signing_secret).await?;
    let call = async |n: usize| -> Result<Reply, Failure> { Ok(market.call(&json!({ "n": n })).send().await?) };
    change(&market, old.url()).await?;
    assert_eq!(call(1).await?.ok(200)["seller_response"], json!({ "you_sent": { "n": 1 } }), "before");
    let new = program.start(&rotate(&market, json!({})).await?).await?;
    assert_eq!(call(2).await?.ok(200)["seller_response"], json!({ "you_sent": { "n": 2 } }), "during, with the old secret");
    change(&market, new.url()).await?;
    assert_eq!(call(3).await?.ok(200)["seller_response"], json!({ "you_sent": { "n": 3 } }), "during, with the new secret");
    let newest = program.start(&rotate(&market, json!({ "immediate": true })).await?).await?;
    for outdated in [&old, &new] {
        change(&market, outdated.url()).await?;
        call(4).await?.refused(502, "SELLER_REFUSED");
    }
    change(&market, newest.url()).await?;
    assert_eq!(call(5).await?.ok(200)["seller_response"], json!({ "you_sent": { "n": 5 } }), "after");
    Ok(())
}

fn judge(program: Option<EndpointProgram>) -> Outcome {
    let Some(program) = program else { return Ok(()) };
    shared(async |world| {
        verifies(world, &program).await?;
        rotates(world, &program).await
    })
}

#[test]
fn the_page_is_served() -> Outcome {
    shared(async |world| {
        let reply = world.client.site(Method::GET, "/docs/verify-signatures.md").send().await?;
        assert_eq!((reply.status, reply.header("content-type")), (200, "text/markdown; charset=utf-8"));
        assert_eq!(reply.text(), PAGE);
        Ok(())
    })
}

#[test]
fn the_python_endpoint_takes_what_is_forwarded_and_nothing_else() -> Outcome {
    judge(EndpointProgram::python(snippet("python"))?)
}

#[test]
fn the_javascript_endpoint_takes_what_is_forwarded_and_nothing_else() -> Outcome {
    judge(EndpointProgram::javascript(snippet("javascript"))?)
}

#[test]
fn the_go_endpoint_takes_what_is_forwarded_and_nothing_else() -> Outcome {
    judge(EndpointProgram::go(snippet("go"))?)
}

#[test]
fn the_rust_endpoint_takes_what_is_forwarded_and_nothing_else() -> Outcome {
    assert_eq!(
        snippet("rust"),
        include_str!("../../clients/verify.rs"),
        "the page shows another program than the one that is built"
    );
    judge(Some(EndpointProgram::built(env!("CARGO_BIN_EXE_verify-signature"))))
}
