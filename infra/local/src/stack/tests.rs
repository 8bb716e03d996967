//! The stack as a whole.

use super::*;

#[tokio::test]
async fn the_parts_answer_as_soon_as_they_are_started() {
    let stack = Stack::start(Options { routers: false, ..Options::ephemeral() }).await.expect("a stack");
    let sandbox = stack.sandbox();
    assert_eq!(sandbox.clock_offset_ms().await.expect("the sandbox answers"), 0);
    sandbox.advance_clock(60_000).await.expect("the clock moves");
    assert_eq!(stack.clock().offset_ms(), 60_000);
    assert!(stack.seller().calls(&[]).await.expect("the seller answers").is_empty());
    // The table exists, and creating it again changes nothing.
    dynamodb::create_table(stack.dynamodb_url(), "crochet").await.expect("idempotent");
    let url = |name: &str| stack.env().into_iter().find(|(known, _)| known == name).map(|(_, value)| value);
    assert_eq!(url("CROCHET_RELAY_URL").as_deref(), Some(stack.relay_url()));
    stack.stop().await;
}

#[tokio::test]
async fn a_detached_stack_serves_any_runtime() {
    let options = Options { routers: false, ..Options::ephemeral() };
    let stack = Stack::start_detached(options).expect("a stack");
    assert_eq!(stack.sandbox().clock_offset_ms().await.expect("the sandbox answers"), 0);
    stack.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_named_with_the_way_out() {
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let taken = port(&other).expect("an address");
    // The port of the sandbox is in use.
    let options = Options { port: taken - 1, routers: false, ..Options::ephemeral() };
    let error = Stack::start(options).await.err().expect("refused");
    assert!(error.contains(&taken.to_string()) && error.contains("CROCHET_PORT"), "{error}");
}

mod shares;
