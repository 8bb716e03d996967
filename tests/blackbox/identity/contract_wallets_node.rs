//! Proofs while the EVM node is down, slow, on another chain, or sends invalid replies.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use crochet_tests::{Client, Failure, Outcome, Replies, Reply, Setup, Wallet, text, with_setup};
use serde_json::{Value, json};

/// A node's reply to a method. `None` means no reply.
type Status = fn(&str) -> Option<Response>;

/// Starts a node with these replies. Returns its URL and its request count.
async fn node(answers: Status) -> Result<(String, Arc<AtomicUsize>), Failure> {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let answer = move |body: Bytes| {
        counter.fetch_add(1, Ordering::Relaxed);
        async move {
            let request: Value = serde_json::from_slice(&body).unwrap_or_default();
            match answers(request["method"].as_str().unwrap_or_default()) {
                Some(response) => response,
                None => std::future::pending().await,
            }
        }
    };
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}/hush-key", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, Router::new().fallback(axum::routing::post(answer))).into_future());
    Ok((url, asked))
}

fn result(value: &Value) -> Option<Response> {
    Some(axum::Json(json!({ "jsonrpc": "2.0", "id": 1, "result": value })).into_response())
}

/// The replies of a node of Base without contracts.
fn no_contract() -> Option<Response> {
    result(&format!("0x{}", "00".repeat(192)).into())
}

async fn contract_registers(client: &Client) -> Result<Reply, Failure> {
    let account = format!("0x{}", hex::encode([0x22; 20]));
    let challenge = client.challenge(&account, "register", &Value::Null).await?;
    let work = challenge.pow.as_ref().map(crochet_tests::Pow::solve);
    let body = json!({ "wallet_address": account, "signature": format!("0x{}", "07".repeat(70)), "nonce": challenge.nonce,
        "pow_nonce": work, "display_name": "A contract" });
    Ok(client.post("/register").json(&body).send().await?)
}

/// A contract wallet gets 503 with recovery advice. Plain wallets register. Foreign signatures are still rejected.
async fn is_unavailable(client: &Client) -> Outcome {
    let reply = contract_registers(client).await?;
    let error = reply.refused(503, "CHAIN_UNAVAILABLE");
    assert_eq!(error["recovery"]["next_action"], "request_new_challenge");
    assert!(!reply.text().contains("hush") && !reply.text().contains("127.0.0.1:"), "{}", text(error, "message"));
    client.register(&Wallet::evm(), "Plain").await?;
    client.register(&Wallet::solana(), "Plain").await?;
    let (wallet, other) = (Wallet::evm(), Wallet::evm());
    let challenge = client.challenge(wallet.address(), "register", &Value::Null).await?;
    let mut body = challenge.answer(&wallet);
    body["signature"] = other.sign(&challenge.message).into();
    body["display_name"] = "Another's".into();
    client.post("/register").json(&body).send().await?.refused(503, "CHAIN_UNAVAILABLE");
    Ok(())
}

/// Runs a test on a stack whose node gives these replies.
fn with_node(answers: Status, test: impl AsyncFnOnce(&Client, &AtomicUsize) -> Outcome) -> Outcome {
    // The node lives as long as the runtime that the suite shares.
    let (url, asked) = crochet_tests::block_on(node(answers))?;
    with_setup(Setup::settings(&[("CROCHET_EVM_RPC_URL", &url)]), async |world| test(&world.client, &asked).await)
}

#[test]
fn a_node_that_is_down_stops_contracts_only() -> Outcome {
    with_setup(Setup::settings(&[("CROCHET_EVM_RPC_URL", "http://127.0.0.1:9/hush-key")]), async |world| {
        is_unavailable(&world.client).await
    })
}

#[test]
fn the_nodes_url_comes_from_a_secret_that_is_read_when_it_is_needed() -> Outcome {
    let (url, asked) = crochet_tests::block_on(node(|method| match method {
        "eth_chainId" => result(&"0x1".into()),
        _ => no_contract(),
    }))?;
    with_setup(Setup::default(), async |world| {
        world.set_node(&url).await?;
        is_unavailable(&world.client).await?;
        assert!(asked.load(Ordering::Relaxed) > 0, "the node of the secret is asked");
        Ok(())
    })
}

#[test]
fn a_node_that_is_slow_is_given_three_seconds() -> Outcome {
    with_node(
        |_| None,
        async |client, _| {
            let began = Instant::now();
            contract_registers(client).await?.refused(503, "CHAIN_UNAVAILABLE");
            let took = began.elapsed();
            assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(6), "{took:?}");
            client.register(&Wallet::evm(), "Plain").await?;
            Ok(())
        },
    )
}

#[test]
fn a_node_of_another_chain_decides_nothing() -> Outcome {
    let answers: Status = |method| match method {
        "eth_chainId" => result(&"0x1".into()),
        // Yes to everything, as a contract of another chain might say.
        _ => result(&yes().into()),
    };
    with_node(answers, async |client, asked| {
        is_unavailable(client).await?;
        // It is asked for its chain until it is the right one.
        assert!(asked.load(Ordering::Relaxed) >= 6);
        Ok(())
    })
}

/// The verifier's result for a contract that confirms.
fn yes() -> String {
    let word = |number: u8| format!("{number:064x}");
    let magic = format!("1626ba7e{}", "0".repeat(56));
    format!("0x{}{}{}{}{}{magic}", word(9), word(9), word(0x60), word(1), word(32))
}

#[test]
fn the_chain_is_asked_for_its_id_once() -> Outcome {
    let answers: Status = |method| if method == "eth_chainId" { result(&"0x2105".into()) } else { no_contract() };
    with_node(answers, async |client, asked| {
        for expected in [2, 3, 4] {
            client.register(&Wallet::evm(), "Plain").await?;
            assert_eq!(asked.load(Ordering::Relaxed), expected);
        }
        client.register(&Wallet::solana(), "Not on this chain").await?;
        assert_eq!(asked.load(Ordering::Relaxed), 4, "Solana wallets never touch it");
        contract_registers(client).await?.refused(401, "SIGNATURE_INVALID");
        Ok(())
    })
}

#[test]
fn a_node_that_answers_nonsense_confirms_nothing() -> Outcome {
    let nonsense: [Status; 9] = [
        |_| Some("".into_response()),
        |_| Some("<html>".into_response()),
        |_| Some(axum::Json(json!([])).into_response()),
        |_| Some(axum::Json(json!({ "jsonrpc": "2.0", "id": 1, "result": null })).into_response()),
        |method| if method == "eth_chainId" { result(&8453.into()) } else { result(&yes().into()) },
        |method| if method == "eth_chainId" { result(&"0x2105".into()) } else { result(&json!({})) },
        |method| if method == "eth_chainId" { result(&"0x2105".into()) } else { result(&yes()[..384].into()) },
        |method| {
            let long = format!("{}{}", yes(), "00".repeat(20_000));
            if method == "eth_chainId" { result(&"0x2105".into()) } else { result(&long.into()) }
        },
        |method| {
            let error =
                json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": 3, "message": "execution reverted" }, "result": yes() });
            if method == "eth_chainId" { result(&"0x2105".into()) } else { Some(axum::Json(error).into_response()) }
        },
    ];
    for answers in nonsense {
        with_node(answers, async |client, _| is_unavailable(client).await)?;
    }
    Ok(())
}

#[test]
fn a_node_that_refuses_or_sends_elsewhere_confirms_nothing() -> Outcome {
    let refusals: [Status; 3] = [
        |_| Some((StatusCode::UNAUTHORIZED, axum::Json(json!({ "result": yes() }))).into_response()),
        |_| Some((StatusCode::INTERNAL_SERVER_ERROR, "").into_response()),
        |_| Some((StatusCode::TEMPORARY_REDIRECT, [("location", "http://127.0.0.1:9/")]).into_response()),
    ];
    for answers in refusals {
        with_node(answers, async |client, _| is_unavailable(client).await)?;
    }
    Ok(())
}
