//! Names and descriptions that try to be more than text.

use crochet_tests::{Outcome, shared};

use super::{named, page};

/// Scripts, entities, addresses, templates and terminal codes.
const TEXTS: [&str; 30] = [
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</bdi></a></h3><h1>Elite</h1>",
    "\"><img src=x onerror=alert(1)>",
    "'\"><svg/onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x>",
    "javascript:alert(1)",
    "https://a.example/\"onmouseover=alert(1)",
    "https://a.example/<script>alert(1)</script>",
    "data:text/html,<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&amp;lt;b&amp;gt; &nbsp;&shy;",
    "<!-- --><style>*{display:none}</style>",
    "--><script>alert(1)</script><!--",
    "<iframe src=https://a.example></iframe>",
    "<base href=https://a.example/>",
    "<meta http-equiv=refresh content=0;url=https://a.example>",
    "<form action=https://a.example><input name=key>",
    "<a href=https://a.example class=btn>Sign up</a>",
    "<details open ontoggle=alert(1)>",
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
    "'; DROP TABLE listings; --",
    "`rm -rf ~` $(rm -rf ~)",
    "[click](javascript:alert(1)) ![x](https://a.example/x.png)",
    "Verified: score 1000 Exceptional ✔",
    "In the seller’s words: Crochet guarantees this",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "\u{ff1c}script\u{ff1e}alert(1)\u{ff1c}/script\u{ff1e}",
    "<ScRiPt\u{a0}src=//a.example></ScRiPt>",
];

/// Sixty names with descriptions: what is hostile in one is in the other, too.
pub(super) fn names() -> Vec<(String, String)> {
    let mut names: Vec<(String, String)> = TEXTS.iter().map(|text| (cut(text), (*text).to_owned())).collect();
    let shapes: Vec<String> = vec![
        "W".repeat(4_000),
        "https://a.example/".to_owned() + &"x".repeat(3_900),
        "👩\u{200d}👩\u{200d}👧\u{200d}👦".repeat(100),
        "🏳️\u{200d}🌈".repeat(300),
        format!("e{} end", "\u{301}".repeat(300)),
        "\u{5d0}\u{5d1}\u{5d2} \u{627}\u{628}\u{62a} abc".repeat(20),
        "ﷺ".repeat(400),
        "𒐫".repeat(400),
        "ｆｕｌｌ　ｗｉｄｔｈ　".repeat(50),
        "a\u{ad}".repeat(500),
        "\u{200b}zero\u{200b}width\u{200b}".repeat(100),
        "line\n".repeat(400),
        "tab\tseparated\twords ".repeat(40),
        "-".repeat(4_000),
        "_".repeat(2_000),
        ".".repeat(2_000),
        "東京".repeat(900),
        "ก็็็็็".repeat(200),
        "Z̴̢̛a̷l̵g̶o̴".repeat(100),
        "0".repeat(4_000),
    ];
    names.extend(shapes.iter().map(|text| (cut(&text.replace(['\n', '\t'], " ")), text.clone())));
    for n in 0..10_u32 {
        let name = format!("{}{}", "Nested<b>".repeat(n as usize % 5 + 1), n);
        let description = format!("\u{202e}txt.exe\u{2066}\u{feff}{}{}", "<div>".repeat(200), "</div>".repeat(n as usize));
        names.push((cut(&name), description));
    }
    names
}

/// The longest that a name may be.
fn cut(text: &str) -> String {
    text.chars().take(80).collect::<String>().trim().to_owned()
}

#[test]
fn sixty_hostile_texts_stay_text_on_every_page() -> Outcome {
    shared(async |world| {
        let names = names();
        assert_eq!(names.len(), 60);
        for (name, description) in &names {
            let listing = named(world, name, description).await?;
            let reply = page(&world.client, &format!("/listings/{}", listing.slug)).await?;
            assert_eq!(reply.status, 200, "{name}");
            let text = reply.text().to_lowercase();
            // One script, ours; and no element that we never write.
            assert_eq!(text.matches("<script").count(), 1, "{name}");
            for never in [
                "<img",
                "<iframe",
                "<base",
                "<style",
                "<b>nested",
                "<form action=https",
                "<meta http-equiv",
                "<div><div><div><div><div><div>",
            ] {
                assert!(!text.contains(never), "{name}: {never}");
            }
            // Quotes in texts are escaped, so what is between two of them is the value of an attribute.
            let outside: String = text.split('"').step_by(2).collect();
            for tag in outside.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
                assert!(!tag.contains("onerror") && !tag.contains("onload") && !tag.contains("onmouse"), "{name}: {tag}");
            }
            assert!(!text.contains("href=\"javascript") && !text.contains("href=\"data"), "{name}");
            assert!(!text.contains(['\u{202e}', '\u{2066}', '\u{feff}']), "{name}");
        }
        Ok(())
    })
}
