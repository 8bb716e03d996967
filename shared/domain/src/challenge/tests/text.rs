//! The text that is signed.

use super::super::binding::in_statement_characters;
use super::*;

#[test]
fn the_text_for_an_evm_wallet() {
    let challenge = issue(&TestWallet::evm(1), Binding::Register);
    let expected = format!(
        "localhost:9000 wants you to sign in with your Ethereum account:\n\
         0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1\n\
         \n\
         Register a new Crochet profile for this wallet and issue an API key for it.\n\
         \n\
         URI: http://localhost:9000\n\
         Version: 1\n\
         Chain ID: 8453\n\
         Nonce: {}\n\
         Issued At: 2026-11-21T21:00:00.123Z\n\
         Expiration Time: 2026-11-21T21:05:00.123Z",
        challenge.nonce
    );
    assert_eq!(challenge.message, expected);
}

#[test]
fn the_text_for_a_solana_wallet() {
    let binding = Binding::UpdateWallet {
        profile_id: profile(1),
        wallet_id: wallet_id(2),
        change: r#"{"capabilities":["auth","payout"],"status":"disabled"}"#.to_owned(),
    };
    let challenge = issue(&TestWallet::solana(1), binding);
    let expected = format!(
        "localhost:9000 wants you to sign in with your Solana account:\n\
         AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9\n\
         \n\
         Change wallet 01939f3c-1111-7000-8000-000000000002 of Crochet profile 01939f3c-0000-7000-8000-000000000001: \
         ('capabilities':['auth','payout'],'status':'disabled')\n\
         \n\
         URI: http://localhost:9000\n\
         Version: 1\n\
         Chain ID: mainnet\n\
         Nonce: {}\n\
         Issued At: 2026-11-21T21:00:00.123Z\n\
         Expiration Time: 2026-11-21T21:05:00.123Z",
        challenge.nonce
    );
    assert_eq!(challenge.message, expected);
}

#[test]
fn the_domain_is_the_authority_of_the_public_url() {
    for (url, domain, uri) in [
        ("https://crochet.example", "crochet.example", "https://crochet.example"),
        ("https://crochet.example:443/", "crochet.example", "https://crochet.example"),
        ("https://crochet.example:8443", "crochet.example:8443", "https://crochet.example:8443"),
        ("http://[::1]:9000", "[::1]:9000", "http://[::1]:9000"),
    ] {
        let url = Url::parse(url).expect("a URL");
        let message = Challenge::issue(TestWallet::evm(1).address(), Binding::Recover, &url, NOW, 0).message;
        assert!(message.starts_with(&format!("{domain} wants you")), "{message}");
        assert!(message.contains(&format!("\nURI: {uri}\n")), "{message}");
    }
}

#[test]
fn statements_name_everything_in_one_line_of_allowed_characters() {
    let statements = bindings().iter().map(Binding::statement).collect::<Vec<_>>();
    for (i, statement) in statements.iter().enumerate() {
        assert!(statements[..i].iter().all(|other| other != statement), "{statement}");
        // EIP-4361: reserved, unreserved and the space.
        let allowed = |c: char| c.is_ascii_alphanumeric() || " -._~:/?#[]@!$&'()*+,;=".contains(c);
        assert!(statement.chars().all(allowed), "{statement}");
    }
}

#[test]
fn no_two_changes_look_the_same_or_leave_their_line() {
    let texts = ["{}", "()", "\"", "'", "~", "~22", "~7e22", "\n", "\\n", "\u{a0}", "é", "[\"a\"]", "['a']", "%22", "\u{2028}"];
    let shown = texts.map(in_statement_characters);
    for (i, text) in shown.iter().enumerate() {
        assert!(shown[..i].iter().all(|other| other != text), "{text}");
        assert!(text.is_ascii() && !text.contains(char::is_control), "{text}");
    }
    assert_eq!(in_statement_characters("{\"é\":\"\n\"}"), "('~c3~a9':'~0a')");
}
