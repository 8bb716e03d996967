//! Which endpoints may be called.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use ::url::Url;
use futures::future::BoxFuture;
use tokio::net::TcpStream;

use http::{HeaderMap, Request};

use super::*;

fn rules(insecure: bool) -> OutboundRules {
    OutboundRules {
        insecure,
        bridged: false,
        ports: vec![443],
        public_url: Url::parse("https://market.example.org").expect("a URL"),
        self_host: SelfHost::default(),
    }
}

#[test]
fn addresses_are_classified() {
    for ip in [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:a9fe:a9fe::",
        "2001::1",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "100::1",
        "3fff::1",
        "5f00::1",
        "4000::1",
    ] {
        assert!(!is_public(ip.parse().expect("an address")), "{ip}");
    }
    for ip in [
        "8.8.8.8",
        "1.1.1.1",
        "93.184.216.34",
        "172.15.0.1",
        "172.32.0.1",
        "100.63.255.255",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450:4001::1",
        "2001:4860:4860::8888",
    ] {
        assert!(is_public(ip.parse().expect("an address")), "{ip}");
    }
}

#[test]
fn urls_are_rejected_by_their_text() {
    for text in [
        "http://example.com/",
        "ftp://example.com/",
        "https://user@example.com/",
        "https://u:p@example.com/",
        "https://example.com:8443/",
        "https://example.com/#x",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://①②⑦.⓪.⓪.①/",
        "https://8.8.8.8/",
        "https://localhost/",
        "https://x.localhost/",
        "https://sandbox.localdomain/",
        "https://metadata.google.internal/",
        "https://intranet/",
        "https://printer.home.arpa/",
        "https://seller.test/",
        "https://seller.example/",
        "https://seller.invalid/",
        "https://seller.onion/",
        "https://seller.com.local./",
        "https://example.com../",
        "https://.example.com/",
        "https://a..example.com/",
        "https://exa%00mple.com/",
        "https://exa mple.com/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/a\tb",
        "https://127.0.0.1./",
        "https://127%2e0%2e0%2e1/",
        "https://0x7f000001./",
        "https://market.example.org/x",
        "https://api.market.example.org./",
        "https://MARKET.example.org./",
        "example.com",
        "",
        "https://",
    ] {
        assert!(EndpointUrl::parse(text, &rules(false)).is_err(), "{text}");
    }
    for text in [
        "https://example.com/",
        "https://example.com:443/a?b=c",
        "https://a.b.example.net/x",
        "https://notmarket.example.orgs.net/",
        "https://xn--bcher-kva.example.com/",
        "https://bücher.example.com/",
        "https://local.example.com/",
    ] {
        assert!(EndpointUrl::parse(text, &rules(false)).is_ok(), "{text}");
    }
}

#[test]
fn a_trailing_dot_is_removed_and_ports_must_be_allowed() {
    let url = EndpointUrl::parse("https://Seller.Example.com./x", &rules(false)).expect("a public name");
    assert_eq!(url.reveal(), "https://seller.example.com/x");
    let more = OutboundRules { ports: vec![443, 8443], ..rules(false) };
    assert!(EndpointUrl::parse("https://example.com:8443/", &more).is_ok());
    assert!(EndpointUrl::parse("https://example.com:8444/", &more).is_err());
    let fewer = OutboundRules { ports: vec![8443], ..rules(false) };
    assert!(EndpointUrl::parse("https://example.com/", &fewer).is_err());
}

#[test]
fn the_host_name_from_api_gateway_is_rejected() {
    let rules = rules(false);
    let (own, another) =
        ("https://a1b2c3.execute-api.eu-west-1.amazonaws.com/x", "https://z9y8x7.execute-api.eu-west-1.amazonaws.com/x");
    assert!(EndpointUrl::parse(own, &rules).is_ok(), "the id is not set yet");
    rules.self_host.set("A1B2C3");
    rules.self_host.set("z9y8x7");
    assert!(EndpointUrl::parse(own, &rules).is_err());
    assert!(EndpointUrl::parse("https://A1B2C3.execute-api.eu-west-1.api.aws./", &rules).is_err());
    assert!(EndpointUrl::parse(another, &rules).is_ok(), "the first id stays");
    assert!(EndpointUrl::parse("https://a1b2c3d.execute-api.eu-west-1.amazonaws.com/", &rules).is_ok());
}

#[test]
fn a_url_may_have_2048_bytes() {
    let of = |length: usize| format!("https://example.com/{}", "a".repeat(length - 20));
    assert!(EndpointUrl::parse(&of(2_048), &rules(false)).is_ok());
    assert!(EndpointUrl::parse(&of(2_049), &rules(false)).is_err());
    // The stored form counts: each of these characters becomes six bytes.
    assert!(EndpointUrl::parse(&format!("https://example.com/{}", "ä".repeat(500)), &rules(false)).is_err());
}

#[test]
fn local_stacks_allow_loopback_and_no_other_private_address() {
    for text in ["http://127.0.0.1:9002/echo", "http://localhost:9002/", "http://[::1]:1/", "https://example.com:8443/"] {
        assert!(EndpointUrl::parse(text, &rules(true)).is_ok(), "{text}");
    }
    for text in ["http://169.254.169.254/", "http://10.0.0.1/", "https://market.example.org/", "file:///etc/passwd"] {
        assert!(EndpointUrl::parse(text, &rules(true)).is_err(), "{text}");
    }
}

#[test]
fn urls_do_not_print() {
    let url = EndpointUrl::parse("https://secret.example.com/path", &rules(false)).expect("fine");
    assert_eq!(format!("{url:?}"), "EndpointUrl(https://…)");
}

/// Resolves every name to the same addresses and refuses every connection.
#[derive(Debug)]
struct Fixed {
    addresses: Vec<IpAddr>,
    dialled: Mutex<Vec<SocketAddr>>,
}

impl Network for Fixed {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(self.addresses.clone()) })
    }

    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        self.dialled.lock().expect("nobody panicked").push(address);
        Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) })
    }
}

/// Calls a host with these addresses. Returns the fault and the dialled addresses.
async fn called(addresses: &[&str]) -> (SellerFault, Vec<String>) {
    let addresses = addresses.iter().map(|ip| ip.parse().expect("an address")).collect();
    let network = Arc::new(Fixed { addresses, dialled: Mutex::default() });
    let outbound = Outbound::over(rules(false), Arc::clone(&network) as Arc<dyn Network>, &[]);
    let url = EndpointUrl::parse("https://seller.example.com/x", outbound.rules()).expect("a public name");
    let is_fine = outbound.check(&url).await.is_ok();
    let request =
        SellerRequest { url: &url, headers: HeaderMap::new(), body: Bytes::new(), timeout: Duration::from_secs(5), max_bytes: 10 };
    let fault = outbound.post(request).await.expect_err("every connection is refused").fault;
    assert_eq!(is_fine, !network.addresses.is_empty() && fault != SellerFault::RefusedAddress, "the early check agrees");
    let dialled = network.dialled.lock().expect("nobody panicked").iter().map(ToString::to_string).collect();
    (fault, dialled)
}

#[tokio::test]
async fn one_non_public_address_rejects_the_whole_name_before_any_dial() {
    let (good, bad) = ("93.184.216.34", "10.0.0.1");
    for addresses in [vec![bad], vec![good, bad], vec![bad, good], vec![good, good, "::1"], vec!["::ffff:8.8.8.8"]] {
        assert_eq!(called(&addresses).await, (SellerFault::RefusedAddress, Vec::new()), "{addresses:?}");
    }
    assert_eq!(called(&[]).await, (SellerFault::Unreachable, Vec::new()));
    let (fault, dialled) = called(&[good, "2606:4700::1111"]).await;
    assert_eq!(fault, SellerFault::Unreachable);
    assert_eq!(dialled, ["93.184.216.34:443", "[2606:4700::1111]:443"], "each address in turn, on the port of the URL");
}

#[tokio::test]
async fn an_ip_literal_that_passed_parsing_is_rejected_at_the_connection() {
    for text in ["https://127.0.0.1/", "https://[::1]/", "https://8.8.8.8/"] {
        let network = Arc::new(Fixed { addresses: Vec::new(), dialled: Mutex::default() });
        let outbound = Outbound::over(rules(false), Arc::clone(&network) as Arc<dyn Network>, &[]);
        let url = EndpointUrl(Url::parse(text).expect("a URL"));
        let request = SellerRequest {
            url: &url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(2),
            max_bytes: 10,
        };
        assert_eq!(outbound.post(request).await.expect_err("rejected").fault, SellerFault::RefusedAddress, "{text}");
        assert!(network.dialled.lock().expect("nobody panicked").is_empty(), "{text}");
    }
}

/// What a seller does once it has answered a connection's requests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Closes,
    /// Reads one more request first.
    ReadsAndCloses,
}

/// Answers as many requests of each connection as listed, one connection after the other. Sends the number of the connection for
/// each request that arrives.
fn seller(connections: &'static [(usize, Then)]) -> (EndpointUrl, Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/x", listener.local_addr().expect("bound"));
    let (arrived, arrivals) = channel();
    std::thread::spawn(move || {
        for (n, (answers, then)) in connections.iter().enumerate() {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let reads = answers + usize::from(*then == Then::ReadsAndCloses);
            for request in 0..reads {
                let mut bytes = Vec::new();
                let mut byte = [0];
                while !bytes.ends_with(b"\r\n\r\n{}") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
                    bytes.extend(byte);
                }
                // The test may have ended.
                let _ = arrived.send(n);
                if request < *answers {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
                }
            }
        }
    });
    (EndpointUrl::parse(&url, &rules(true)).expect("a local URL"), arrivals)
}

fn local() -> Outbound {
    Outbound::over(rules(true), Arc::new(SystemNetwork), &[])
}

async fn post(outbound: &Outbound, url: &EndpointUrl) -> Result<u16, FailedAttempt> {
    let body = Bytes::from_static(b"{}");
    let request = SellerRequest { url, headers: HeaderMap::new(), body, timeout: Duration::from_secs(5), max_bytes: 10 };
    outbound.post(request).await.map(|response| response.status)
}

#[tokio::test]
async fn the_pooled_client_repeats_by_itself_only_what_it_has_not_begun_to_send() {
    let send = async |outbound: &Outbound, url: &EndpointUrl| {
        let request = Request::post(url.uri().expect("a URI")).body(Full::new(Bytes::from_static(b"{}"))).expect("a request");
        let response = outbound.client.request(request).await?;
        http_body_util::BodyExt::collect(response.into_body()).await.expect("a body");
        Ok::<_, hyper_util::client::legacy::Error>(())
    };
    let outbound = local();
    // Closed while idle: the client notices, and takes a new connection.
    let (url, arrivals) = seller(&[(1, Then::Closes), (1, Then::Closes)]);
    send(&outbound, &url).await.expect("the first connection");
    tokio::time::sleep(Duration::from_millis(50)).await;
    send(&outbound, &url).await.expect("the second connection");
    assert_eq!(arrivals.iter().collect::<Vec<_>>(), [0, 1]);
    // Closed when the request was there: the client gives up.
    let (url, arrivals) = seller(&[(1, Then::ReadsAndCloses)]);
    send(&outbound, &url).await.expect("the first request");
    send(&outbound, &url).await.expect_err("the connection died");
    assert_eq!(arrivals.iter().collect::<Vec<_>>(), [0, 0]);
}

#[tokio::test]
async fn a_kept_connection_that_dies_before_a_byte_of_the_reply_is_retried_once_on_a_new_one() {
    let outbound = local();
    let (url, arrivals) = seller(&[(2, Then::ReadsAndCloses), (1, Then::Closes)]);
    for _ in 0..3 {
        assert_eq!(post(&outbound, &url).await, Ok(200));
    }
    assert_eq!(arrivals.iter().collect::<Vec<_>>(), [0, 0, 0, 1]);
    let (url, arrivals) = seller(&[(1, Then::ReadsAndCloses), (0, Then::ReadsAndCloses)]);
    assert_eq!(post(&outbound, &url).await, Ok(200));
    let failed = post(&outbound, &url).await.expect_err("the new connection died too");
    assert_eq!((failed.fault, failed.body_may_be_seen), (SellerFault::Unreachable, true));
    assert_eq!(arrivals.iter().collect::<Vec<_>>(), [0, 0, 1]);
    // Nobody listens any more, but the first connection had the body.
    let (url, _arrivals) = seller(&[(1, Then::ReadsAndCloses)]);
    assert_eq!(post(&outbound, &url).await, Ok(200));
    let failed = post(&outbound, &url).await.expect_err("nobody listens");
    assert_eq!((failed.fault, failed.body_may_be_seen), (SellerFault::Unreachable, true));
    // A new connection is not retried.
    let (url, arrivals) = seller(&[(0, Then::ReadsAndCloses)]);
    post(&outbound, &url).await.expect_err("the connection died");
    assert_eq!(arrivals.iter().collect::<Vec<_>>(), [0]);
}
