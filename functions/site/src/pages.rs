//! The texts that this deployment publishes: where they are, and what they are about.

/// A text under `docs/`, written in Markdown. `{PUBLIC_URL}` in it stands for the public URL, without a slash at the end.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where it is served as text. The same path with `.md`, instead of `.txt` if it has that, serves it as Markdown.
    pub(crate) path: &'static str,
    pub(crate) title: &'static str,
    /// What it is about, after the title and a colon.
    pub(crate) about: &'static str,
    pub(crate) source: &'static str,
}

impl Page {
    /// Where it is served as Markdown.
    pub(crate) fn markdown_path(&self) -> String {
        format!("{}.md", self.path.strip_suffix(".txt").unwrap_or(self.path))
    }
}

/// The pages, in the order of lists.
pub(crate) const PAGES: &[Page] = &[
    Page {
        path: "/docs/overview",
        title: "Overview",
        about: "what Crochet is, and where to begin",
        source: include_str!("../../../docs/site/overview.md"),
    },
    Page {
        path: "/docs/quick-start",
        title: "Quick Start",
        about: "the first call in five steps, with curl",
        source: include_str!("../../../docs/site/quick-start.md"),
    },
    Page {
        path: "/docs/how-it-works",
        title: "How It Works",
        about: "one paid call, and what holds when something goes wrong",
        source: include_str!("../../../docs/site/how-it-works.md"),
    },
    Page {
        path: "/docs/for-agents",
        title: "For Agents",
        about: "the rules, the flows and the gateway in three messages",
        source: include_str!("../../../docs/site/for-agents.md"),
    },
    Page {
        path: "/docs/for-humans",
        title: "For Humans",
        about: "how to read a listing, and what can go wrong",
        source: include_str!("../../../docs/site/for-humans.md"),
    },
    Page {
        path: "/docs/payments",
        title: "Payments",
        about: "prices, currencies, the 402, and refunds",
        source: include_str!("../../../docs/site/payments.md"),
    },
    Page {
        path: "/docs/trust-reviews",
        title: "Trust & Reviews",
        about: "statistics, scores, reviews and receipts",
        source: include_str!("../../../docs/site/trust-reviews.md"),
    },
    Page {
        path: "/docs/agent-skill",
        title: "Agent Skill",
        about: "the texts that an agent reads and follows",
        source: include_str!("../../../docs/site/agent-skill.md"),
    },
    Page {
        path: "/docs/api-reference.txt",
        title: "API reference",
        about: "every route, in 48 KB: those that agents need with their fields, limits and errors",
        source: include_str!("../../../docs/api-reference.txt"),
    },
    Page {
        path: "/docs/api-reference-full.txt",
        title: "API reference, long form",
        about: "the same with every field of every reply, and what each error asks of you",
        source: include_str!("../../../docs/api-reference-full.txt"),
    },
    Page {
        path: "/docs/paying",
        title: "Paying for a call",
        about: "carry out the steps of a 402 on Solana or Base, with whole programs in Python and JavaScript",
        source: PAYING,
    },
    Page {
        path: "/docs/errors",
        title: "Errors",
        about: "the envelope of every error, and how a program follows its advice",
        source: include_str!("../../../docs/errors.md"),
    },
    Page {
        path: "/seller-onboarding",
        title: "Seller onboarding",
        about: "from an endpoint to the first paid call, step by step",
        source: include_str!("../../../docs/seller-onboarding.md"),
    },
    Page {
        path: "/docs/seller-integration.txt",
        title: "Seller integration",
        about: "what your endpoint receives, what its responses mean, and what happens when it fails",
        source: include_str!("../../../docs/seller-integration.txt"),
    },
    Page {
        path: "/docs/verify-signatures",
        title: "Verify signatures",
        about: "check that a call comes from Crochet, with whole endpoints in Python, JavaScript, Go and Rust",
        source: include_str!("../../../docs/verify-signatures.md"),
    },
    Page {
        path: "/docs/secret-scanning",
        title: "API keys and leaks",
        about: "what a key looks like, and how to end one that leaked",
        source: include_str!("../../../docs/secret-scanning.md"),
    },
    Page {
        path: "/docs/score",
        title: "The score",
        about: "what counts, the formula, and how to compute it again",
        source: include_str!("../../../docs/score.md"),
    },
    Page {
        path: "/docs/score/attacks",
        title: "What a score costs",
        about: "attacks on the score, and their prices",
        source: include_str!("../../../docs/score/attacks.md"),
    },
];

/// Files that pages link to: path, media type, and text.
pub(crate) const FILES: &[(&str, &str, &str)] = &[
    ("/docs/score/recompute.py", PYTHON, include_str!("../../../docs/score/recompute.py")),
    ("/docs/score/inflation.svg", SVG, include_str!("../../../docs/score/inflation.svg")),
    ("/docs/score/sabotage.svg", SVG, include_str!("../../../docs/score/sabotage.svg")),
];

const PYTHON: &str = "text/x-python; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The page about paying. Its programs are served on their own, too.
pub(crate) const PAYING: &str = include_str!("../../../docs/paying.md");

/// The programs of the page about paying: the language of the block, its number among the blocks of this language, its path, and the
/// media type.
pub(crate) const PROGRAMS: &[(&str, usize, &str, &str)] = &[
    ("python", 0, "/docs/paying/solana.py", PYTHON),
    ("python", 1, "/docs/paying/evm.py", PYTHON),
    ("javascript", 0, "/docs/paying/solana.mjs", JAVASCRIPT),
    ("javascript", 1, "/docs/paying/evm.mjs", JAVASCRIPT),
];

/// A skill, in the format of agentskills.io.
#[derive(Debug)]
pub(crate) struct Skill {
    /// The name, which is also its directory's.
    pub(crate) name: &'static str,
    /// Further paths that serve it.
    pub(crate) also_at: &'static [&'static str],
    pub(crate) source: &'static str,
}

pub(crate) const SKILLS: &[Skill] = &[
    Skill {
        name: "crochet",
        also_at: &["/SKILL.md", "/agent-skill"],
        source: include_str!("../../../docs/skills/crochet/SKILL.md"),
    },
    Skill { name: "crochet-sell", also_at: &[], source: include_str!("../../../docs/skills/crochet-sell/SKILL.md") },
];

impl Skill {
    /// The path under which it is found.
    pub(crate) fn path(&self) -> String {
        format!("/.well-known/agent-skills/{}/SKILL.md", self.name)
    }

    /// The description from its front matter.
    pub(crate) fn description(&self) -> &'static str {
        self.source.lines().find_map(|line| line.strip_prefix("description: ")).unwrap_or_default()
    }
}

/// The block of a Markdown page in this language with this number, counted from 0.
pub(crate) fn block(page: &'static str, language: &str, number: usize) -> Option<&'static str> {
    let opening = format!("\n```{language}\n");
    let (start, _) = page.match_indices(&opening).nth(number)?;
    page[start + opening.len()..].split("\n```\n").next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_found_by_language_and_number() {
        let page = "\n```a\none\n```\ntext\n```b\ntwo\n```\n\n```a\nthree\nfour\n```\n";
        assert_eq!(block(page, "a", 0), Some("one"));
        assert_eq!(block(page, "a", 1), Some("three\nfour"));
        assert_eq!(block(page, "a", 2), None);
        assert!(PROGRAMS.iter().all(|(language, number, ..)| block(PAYING, language, *number).is_some()));
    }

    #[test]
    fn skills_are_named_like_their_directory_and_say_when_to_use_them() {
        for skill in SKILLS {
            assert!(skill.source.starts_with(&format!("---\nname: {}\ndescription: ", skill.name)), "{}", skill.name);
            assert!(skill.description().contains("Use "), "{}", skill.name);
        }
    }

    #[test]
    fn every_page_has_two_paths() {
        let markdown: Vec<String> = PAGES.iter().map(Page::markdown_path).collect();
        assert!(markdown.contains(&"/docs/api-reference.md".to_owned()));
        assert!(markdown.contains(&"/docs/verify-signatures.md".to_owned()));
    }
}
