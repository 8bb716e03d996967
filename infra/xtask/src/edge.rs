//! Checks `infra/edge.yaml` against what CloudFront refuses, and against what the functions expect of an edge.

use yaml_rust2::{Yaml, YamlLoader};

use crate::project::{Project, read};

/// Headers that CloudFront neither adds to a request to an origin nor lets an edge function set, as its documentation lists them. It
/// refuses the distribution, or answers 502.
const RESERVED: [&str; 31] = [
    "cache-control",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "request-range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-cache",
    "x-forwarded-proto",
    "x-real-ip",
];
/// Beginnings of names that it keeps for itself.
const RESERVED_PREFIXES: [&str; 4] = ["x-edge-", "x-amz-", "x-amzn-", "cloudfront-"];
/// Errors of an origin that CloudFront keeps for ten seconds unless it is told otherwise.
const KEPT_ERRORS: [i64; 8] = [404, 405, 414, 500, 501, 502, 503, 504];
/// Keys that may be used behind one address, such as those of an office's agents, without the firewall in their way.
const KEYS_BEHIND_AN_ADDRESS: i64 = 10;

/// Checks the edge.
///
/// # Errors
/// One line for each broken rule.
pub(crate) fn check(project: &Project) -> Result<(), String> {
    let file = |path: &str| read(&project.root.join(path));
    let sources = Sources {
        edge: &file("infra/edge.yaml")?,
        template: &file("template.yaml")?,
        headers: &file("shared/src/config/edge.rs")?,
        limits: &file("shared/src/limits.rs")?,
    };
    let problems = sources.problems()?;
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// What an edge is said to be, and what is expected of it.
#[derive(Debug, Clone, Copy)]
struct Sources<'a> {
    edge: &'a str,
    template: &'a str,
    headers: &'a str,
    limits: &'a str,
}

impl Sources<'_> {
    fn problems(&self) -> Result<Vec<String>, String> {
        let (edge, template) = (yaml("infra/edge.yaml", self.edge)?, yaml("template.yaml", self.template)?);
        let mut problems = self.header_problems(&edge);
        problems.extend(error_problems(&edge));
        problems.extend(self.rate_problems(&edge, &template)?);
        Ok(problems)
    }

    /// What it sends must be what the functions read, and nothing that CloudFront keeps for itself.
    fn header_problems(&self, edge: &Yaml) -> Vec<String> {
        let mut problems = Vec::new();
        let sent = sent(edge);
        if sent.len() != 2 {
            problems.push(format!("infra/edge.yaml sends {sent:?}: a secret and an address are expected"));
        }
        for name in sent {
            let lower = name.to_ascii_lowercase();
            if RESERVED.contains(&lower.as_str()) || RESERVED_PREFIXES.iter().any(|prefix| lower.starts_with(prefix)) {
                problems.push(format!("infra/edge.yaml sends {name}, which CloudFront keeps for itself"));
            }
            if !self.headers.contains(&format!("\"{name}\"")) {
                problems.push(format!("infra/edge.yaml sends {name}, which shared/src/config/edge.rs does not read"));
            }
        }
        problems
    }

    /// The firewall must not refuse what the API's own limits allow.
    fn rate_problems(&self, edge: &Yaml, template: &Yaml) -> Result<Vec<String>, String> {
        let default = |of: &Yaml, name: &str| of["Parameters"][name]["Default"].as_i64();
        let own = default(edge, "RequestsPerAddress").ok_or("infra/edge.yaml has no RequestsPerAddress")?;
        let given = default(template, "EdgeRequestsPerAddress").ok_or("template.yaml has no EdgeRequestsPerAddress")?;
        let [gateway, others, reads] = ["GATEWAY_PER_KEY", "PER_KEY", "READS_PER_IP"].map(|name| quota(self.limits, name));
        // Limits are of a minute, the firewall's of five.
        let allowed = 5 * (KEYS_BEHIND_AN_ADDRESS * (gateway? + others?) + reads?);
        let mut problems = Vec::new();
        if own != given {
            problems.push(format!("infra/edge.yaml refuses an address above {own} requests, template.yaml above {given}"));
        }
        if own.min(given) < allowed {
            let keys = KEYS_BEHIND_AN_ADDRESS;
            problems.push(format!("an address with {keys} keys may send {allowed} requests; the firewall refuses it above {own}"));
        }
        Ok(problems)
    }
}

/// Names of the headers that the edge adds to a request.
fn sent(edge: &Yaml) -> Vec<String> {
    const SET: &str = "request.headers['";
    let mut names = Vec::new();
    for resource in edge["Resources"].as_hash().into_iter().flatten().map(|(_, resource)| &resource["Properties"]) {
        for origin in resource["DistributionConfig"]["Origins"].as_vec().into_iter().flatten() {
            let headers = origin["OriginCustomHeaders"].as_vec().into_iter().flatten();
            names.extend(headers.filter_map(|header| header["HeaderName"].as_str().map(str::to_owned)));
        }
        let code = resource["FunctionCode"].as_str().unwrap_or_default();
        names.extend(code.split(SET).skip(1).filter_map(|rest| Some(rest.split_once('\'')?.0.to_owned())));
    }
    names
}

/// An error that CloudFront keeps would be the answer to others' requests, and to a caller's next one.
fn error_problems(edge: &Yaml) -> Vec<String> {
    let distribution = &edge["Resources"]["Distribution"]["Properties"]["DistributionConfig"];
    let responses: Vec<&Yaml> = distribution["CustomErrorResponses"].as_vec().into_iter().flatten().collect();
    let is_let_go = |code: i64| {
        responses
            .iter()
            .any(|response| response["ErrorCode"].as_i64() == Some(code) && response["ErrorCachingMinTTL"].as_i64() == Some(0))
    };
    let kept = KEPT_ERRORS.into_iter().filter(|code| !is_let_go(*code));
    kept.map(|code| format!("infra/edge.yaml lets CloudFront keep the error {code}")).collect()
}

/// Events that a limit allows in its window.
fn quota(limits: &str, name: &str) -> Result<i64, String> {
    let found = limits.split_once(&format!("pub const {name}: Limit =")).and_then(|(_, rest)| rest.split_once("quota: "));
    let digits: Option<String> = found.map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect());
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| format!("shared/src/limits.rs has no limit {name}"))
}

fn yaml(name: &str, text: &str) -> Result<Yaml, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| format!("{name}: {error}"))?;
    documents.into_iter().next().ok_or_else(|| format!("{name} is empty"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Sources<'_> = Sources {
        edge: include_str!("../../edge.yaml"),
        template: include_str!("../../../template.yaml"),
        headers: include_str!("../../../shared/src/config/edge.rs"),
        limits: include_str!("../../../shared/src/limits.rs"),
    };

    fn told(edge: &str) -> Vec<String> {
        Sources { edge, ..OWN }.problems().expect("templates")
    }

    #[test]
    fn the_edge_is_one_that_cloudfront_takes_and_the_functions_know() {
        assert_eq!(told(OWN.edge), Vec::<String>::new());
    }

    #[test]
    fn a_header_that_cloudfront_keeps_for_itself_is_a_problem() {
        for (name, reserved) in [("x-crochet-edge-secret", "X-Edge-Secret"), ("x-crochet-edge-address", "x-real-ip")] {
            let problems = told(&OWN.edge.replace(name, reserved));
            assert!(problems.iter().any(|problem| problem.contains("keeps for itself")), "{reserved}: {problems:?}");
        }
        // Neither is a header that nobody reads.
        assert_eq!(told(&OWN.edge.replace("x-crochet-edge-secret", "x-other")).len(), 1);
    }

    #[test]
    fn an_error_is_nobody_elses_answer() {
        assert_eq!(
            told(&OWN.edge.replace("ErrorCode: 503, ErrorCachingMinTTL: 0", "ErrorCode: 503, ErrorCachingMinTTL: 10")).len(),
            1
        );
        assert_eq!(told(&OWN.edge.replace("ErrorCode: 404", "ErrorCode: 410")).len(), 1);
    }

    #[test]
    fn the_firewall_leaves_several_keys_behind_one_address_alone() {
        let template = OWN.template.replace("Default: 50000", "Default: 3000");
        let strict = Sources { edge: &OWN.edge.replace("Default: 50000", "Default: 3000"), template: &template, ..OWN };
        assert_eq!(strict.problems().expect("templates").len(), 1);
        assert_eq!(Sources { template: &template, ..OWN }.problems().expect("templates").len(), 2);
    }
}
