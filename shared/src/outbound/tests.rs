//! What may be called, and what never.

use ::url::Url;

use super::*;

fn rules(insecure: bool) -> OutboundRules {
    OutboundRules { insecure, bridged: false, own: Url::parse("https://market.example.org").expect("a URL") }
}

#[test]
fn only_public_addresses_are_public() {
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
fn urls_are_refused_by_their_text() {
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
    ] {
        assert!(EndpointUrl::parse(text, &rules(false)).is_ok(), "{text}");
    }
}

#[test]
fn local_stacks_may_use_loopback_and_nothing_else_inside() {
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

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_at_the_connection() {
    // "localhost" passes no text check; this asks the resolver alone, as a rebinding name would reach it.
    let url = EndpointUrl(Url::parse("https://localhost/").expect("a URL"));
    let outbound = Outbound::new(rules(false));
    assert!(outbound.check(&url).await.is_err());
    let request =
        SellerRequest { url: &url, headers: HeaderMap::new(), body: Bytes::new(), timeout: Duration::from_secs(2), max_bytes: 10 };
    assert_eq!(outbound.post(request).await.expect_err("refused"), SellerFault::RefusedAddress);
}
