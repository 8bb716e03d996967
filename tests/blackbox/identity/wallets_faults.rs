//! Lost replies, conflicts and crashes at each DynamoDB request of linking and changing a wallet. A lost reply has no effect,
//! because the service recognizes its own writes.

use crochet_tests::{Failure, Fault, Outcome, Proxy, Replies, Setup, Wallet, World, text, with_setup};
use serde_json::json;

/// Links a wallet with one fault at the `k`-th request to DynamoDB. Whatever the reply, the wallet is linked or not, and a
/// retry links it. Returns `false` if linking made fewer requests.
async fn linked_in_spite_of(proxy: &Proxy, world: &World, fault: Fault, k: usize) -> Result<bool, Failure> {
    let (agent, new) = (world.agent().await?, Wallet::evm());
    agent.get("/me").send().await?.ok(200);
    let body = agent.link_request(&new).await?;
    proxy.plan(fault, k);
    let first = agent.post("/me/wallets").json(&body).send().await?;
    proxy.recover();
    let struck = proxy.end();
    if first.status != 201 {
        assert!(!matches!(fault, Fault::LostReply), "{fault:?} at {k}: {}", first.text());
        assert!(["SERVICE_UNAVAILABLE", "CHALLENGE_INVALID"].contains(&first.code()), "{fault:?} at {k}: {}", first.text());
        let again = agent.try_link_wallet(&new).await?;
        let known = again.error()["details"]["wallet_id"].is_string();
        assert!(again.status == 201 || known, "{fault:?} at {k}: {}", again.text());
    }
    assert_eq!(agent.wallets().await?.len(), 2, "{fault:?} at {k}");
    assert_eq!(world.client.recover(&new, false).await?.profile_id, agent.profile_id, "{fault:?} at {k}");
    Ok(struck)
}

#[test]
fn a_fault_at_any_request_links_a_wallet_once_or_not_at_all() -> Outcome {
    let proxy = &Proxy::start()?;
    with_setup(Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() }, async |world| {
        for fault in [Fault::Conflict, Fault::LostReply, Fault::CrashAfter, Fault::CrashBefore] {
            let mut k = 1;
            while linked_in_spite_of(proxy, world, fault, k).await? {
                k += 1;
            }
            assert!(k > 2, "{fault:?}: linking makes more requests than {k}");
        }
        Ok(())
    })
}

/// Changes a wallet with one fault at the `k`-th request to DynamoDB. Whatever the reply, the change is made or not, and a
/// retry makes it. Returns `false` if the change made fewer requests.
async fn changed_in_spite_of(proxy: &Proxy, world: &World, fault: Fault, k: usize) -> Result<bool, Failure> {
    let agent = world.agent().await?;
    let id = text(&agent.link_wallet(&Wallet::evm()).await?["wallet"], "id").to_owned();
    let before = agent.wallets().await?;
    let change = json!({ "capabilities": ["payment"] });
    let body = agent.change_request(&agent.wallet, &id, &change).await?;
    proxy.plan(fault, k);
    let first = agent.patch(&format!("/me/wallets/{id}")).json(&body).send().await?;
    proxy.recover();
    let struck = proxy.end();
    let mut after = before.clone();
    after[1]["capabilities"] = json!(["payment"]);
    after[1]["default_for"] = json!(["payment"]);
    if first.status == 200 {
        assert_eq!(first.data()["wallet"], after[1]);
    } else {
        assert!(!matches!(fault, Fault::LostReply), "{fault:?} at {k}: {}", first.text());
        assert!(["SERVICE_UNAVAILABLE", "CHALLENGE_INVALID"].contains(&first.code()), "{fault:?} at {k}: {}", first.text());
        let now = agent.wallets().await?;
        assert!(now == before || now == after, "{fault:?} at {k}: half a change");
        agent.update_wallet(&id, &change).await?;
    }
    assert_eq!(agent.wallets().await?, after, "{fault:?} at {k}");
    Ok(struck)
}

#[test]
fn a_fault_at_any_request_changes_a_wallet_once_or_not_at_all() -> Outcome {
    let proxy = &Proxy::start()?;
    with_setup(Setup { dynamodb: Some(proxy.url().to_owned()), ..Setup::default() }, async |world| {
        for fault in [Fault::Conflict, Fault::LostReply, Fault::CrashAfter, Fault::CrashBefore] {
            let mut k = 1;
            while changed_in_spite_of(proxy, world, fault, k).await? {
                k += 1;
            }
            assert!(k > 2, "{fault:?}: changing makes more requests than {k}");
        }
        Ok(())
    })
}
