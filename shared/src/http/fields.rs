//! What is wrong with the fields of a request: all of it in one error, with the name that was meant where one is near.

use serde_json::{Value, json};

use super::codes::Code;
use super::error::ApiError;
use super::near::nearest;

/// Maximum number of problems that one error lists.
const MAX_PROBLEMS: usize = 30;

/// Where a request has its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In its JSON body.
    Body,
    /// In its query.
    Query,
}

impl Place {
    fn noun(self) -> &'static str {
        match self {
            Self::Body => "field",
            Self::Query => "query parameter",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// `why` continues after "is required", with a space before it.
    Missing {
        why: String,
    },
    /// It exists, but not in this request. `why` continues after "must be left out", with a space before it.
    Unexpected {
        why: String,
    },
    Unknown {
        meant: Option<String>,
    },
    /// `what` continues after the field's name ("must be …").
    Wrong {
        what: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldProblem {
    field: String,
    kind: Kind,
}

/// The problems of a request's fields, in the order in which they were found.
#[derive(Debug)]
pub struct FieldProblems {
    place: Place,
    list: Vec<FieldProblem>,
    /// The one error that was taken, with a code of its own.
    only: Option<ApiError>,
}

impl FieldProblems {
    /// No problems.
    #[must_use]
    pub fn new(place: Place) -> Self {
        Self { place, list: Vec::new(), only: None }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A field that the request needs and does not have.
    pub fn missing(&mut self, field: &str) {
        self.add(field, Kind::Missing { why: String::new() });
    }

    /// A field that this request needs for a reason. `why` continues after "is required" ("for a challenge for link_wallet").
    pub fn missing_for(&mut self, field: &str, why: &str) {
        self.add(field, Kind::Missing { why: format!(" {why}") });
    }

    /// A field that the request does not have. `known` are the fields that it has in this place: one of them may have been meant.
    pub fn unknown(&mut self, field: &str, known: &[&str]) {
        let (before, name) = field.rsplit_once('.').map_or(("", field), |(before, name)| (&field[..=before.len()], name));
        let meant = nearest(name, known).map(|name| format!("{before}{name}"));
        self.add(field, Kind::Unknown { meant });
    }

    /// A field that this request cannot have, for a reason. `why` continues after "must be left out" ("if immediate is true").
    pub fn unexpected(&mut self, field: &str, why: &str) {
        self.add(field, Kind::Unexpected { why: format!(" {why}") });
    }

    /// A value that cannot be. `what` continues after the field's name ("must be …").
    pub fn wrong(&mut self, field: &str, what: &str) {
        self.add(field, Kind::Wrong { what: what.to_owned() });
    }

    /// Keeps the problem of a value that was refused, and returns one that was accepted. An error that names no field is returned.
    ///
    /// # Errors
    /// The error, if no field is to blame.
    pub fn take<T>(&mut self, read: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
        let error = match read {
            Ok(value) => return Ok(Some(value)),
            Err(error) => error,
        };
        let Some(field) = error.named_field().map(str::to_owned) else { return Err(error) };
        let message = error.told().trim_end_matches('.').to_owned();
        let what = message.strip_prefix(&format!("`{field}` ")).map_or_else(|| format!("is wrong: {message}"), str::to_owned);
        self.only = self.list.is_empty().then_some(error);
        self.add(&field, Kind::Wrong { what });
        Ok(None)
    }

    /// As [`FieldProblems::take`], for a field that may be left out.
    ///
    /// # Errors
    /// The error, if no field is to blame.
    pub fn take_optional<T>(&mut self, read: Option<Result<T, ApiError>>) -> Result<Option<T>, ApiError> {
        read.map_or(Ok(None), |read| self.take(read))
    }

    /// Fails if there is any problem.
    ///
    /// # Errors
    /// The error that lists them.
    pub fn end(self) -> Result<(), ApiError> {
        if self.list.is_empty() { Ok(()) } else { Err(self.into_error()) }
    }

    fn add(&mut self, field: &str, kind: Kind) {
        if self.list.len() < MAX_PROBLEMS && self.list.iter().all(|known| known.field != field) {
            self.list.push(FieldProblem { field: field.to_owned(), kind });
        }
    }

    /// `UNKNOWN_FIELD` if a field is unknown, otherwise `INVALID_REQUEST`. The first of several problems is `details.field`; all are
    /// in `details.fields`.
    #[must_use]
    pub fn into_error(mut self) -> ApiError {
        // What is meant by another name is not missing.
        let meant: Vec<String> = self
            .list
            .iter()
            .filter_map(|problem| match &problem.kind {
                Kind::Unknown { meant } => meant.clone(),
                _ => None,
            })
            .collect();
        self.list.retain(|problem| !matches!(problem.kind, Kind::Missing { .. }) || !meant.contains(&problem.field));
        let rank = |problem: &FieldProblem| match problem.kind {
            Kind::Unknown { .. } => 0,
            Kind::Missing { .. } => 1,
            Kind::Wrong { .. } | Kind::Unexpected { .. } => 2,
        };
        self.list.sort_by_key(rank);
        if let ([_], Some(only)) = (self.list.as_slice(), self.only) {
            return only;
        }
        let Some(first) = self.list.first() else { return Code::InvalidRequest.into() };
        let is_unknown = matches!(first.kind, Kind::Unknown { .. });
        let code = if is_unknown { Code::UnknownField } else { Code::InvalidRequest };
        let steps: String = self.list.iter().map(|problem| problem.step()).collect();
        let renames = self.list.iter().all(|problem| matches!(&problem.kind, Kind::Unknown { meant: Some(_) }));
        let removes = self.list.iter().all(|problem| matches!(&problem.kind, Kind::Unknown { meant: None }));
        let action = match (renames, removes) {
            (true, _) => "rename_field",
            (_, true) => "remove_unknown_field",
            _ => "fix_request_fields",
        };
        let action = if self.list.len() == 1 && !is_unknown { Code::InvalidRequest.recovery().next_action } else { action };
        let place = self.place;
        ApiError::new(code)
            .message(self.list.iter().map(|problem| problem.sentence(place)).collect::<Vec<_>>().join(" "))
            .detail("field", first.field.clone())
            .detail("fields", Value::Array(self.list.iter().map(|problem| problem.json(place)).collect()))
            .recovery("next_action", action)
            .recovery("summary", format!("{steps}Then send the request again."))
    }
}

impl FieldProblem {
    fn sentence(&self, place: Place) -> String {
        let Self { field, kind } = self;
        let noun = place.noun();
        match kind {
            Kind::Missing { why } => format!("The {noun} `{field}` is required{why}."),
            Kind::Unknown { meant: Some(meant) } => format!("There is no {noun} `{field}`: write `{meant}`, if that is meant."),
            Kind::Unknown { meant: None } => format!("There is no {noun} `{field}`: leave it out."),
            Kind::Unexpected { why } => format!("`{field}` must be left out{why}."),
            Kind::Wrong { what } => format!("`{field}` {what}."),
        }
    }

    /// What to do about it, as a sentence that a space follows.
    fn step(&self) -> String {
        let Self { field, kind } = self;
        match kind {
            Kind::Missing { .. } => format!("Add `{field}`. "),
            Kind::Unknown { meant: Some(meant) } => format!("Rename `{field}` to `{meant}`. "),
            Kind::Unknown { meant: None } => format!("Remove `{field}`. "),
            Kind::Unexpected { .. } => format!("Leave `{field}` out. "),
            Kind::Wrong { what } => format!("Correct `{field}`, which {what}. "),
        }
    }

    fn json(&self, place: Place) -> Value {
        let problem = match &self.kind {
            Kind::Missing { .. } => "missing",
            Kind::Unknown { .. } => "unknown",
            Kind::Unexpected { .. } => "unexpected",
            Kind::Wrong { .. } => "invalid",
        };
        let mut row = json!({ "field": self.field, "problem": problem, "message": self.sentence(place) });
        if let Kind::Unknown { meant: Some(meant) } = &self.kind {
            row["did_you_mean"] = meant.as_str().into();
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(error: &ApiError) -> Value {
        let config = crate::config::Config::from_lookup(|_| None).expect("the defaults");
        error.body(&config)["error"].clone()
    }

    #[test]
    fn everything_is_told_at_once_and_what_was_meant_is_renamed() {
        let mut problems = FieldProblems::new(Place::Body);
        problems.wrong("price", "must be a number");
        problems.unknown("pow", &["pow_nonce", "name"]);
        problems.unknown("colour", &["pow_nonce", "name"]);
        problems.missing("pow_nonce");
        problems.missing("name");
        problems.missing("name");
        let error = body(&problems.into_error());
        assert_eq!(error["code"], "UNKNOWN_FIELD");
        let fields: Vec<(&str, &str)> = error["details"]["fields"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|row| (row["field"].as_str().unwrap_or_default(), row["problem"].as_str().unwrap_or_default()))
            .collect();
        assert_eq!(fields, [("pow", "unknown"), ("colour", "unknown"), ("name", "missing"), ("price", "invalid")]);
        assert_eq!(error["details"]["fields"][0]["did_you_mean"], "pow_nonce");
        assert_eq!(error["details"]["field"], "pow");
        assert_eq!(
            error["recovery"]["summary"],
            "Rename `pow` to `pow_nonce`. Remove `colour`. Add `name`. Correct `price`, which must be a number. \
             Then send the request again."
        );
    }

    #[test]
    fn one_error_keeps_its_own_code_and_several_share_one() {
        let refused = || ApiError::new(Code::InvalidWalletAddress).message("It is too short.").detail("field", "wallet_address");
        let mut problems = FieldProblems::new(Place::Body);
        assert!(problems.take::<()>(Err(refused())).expect("a field").is_none());
        assert_eq!(body(&problems.into_error())["code"], "INVALID_WALLET_ADDRESS");
        let mut problems = FieldProblems::new(Place::Body);
        let _ = problems.take::<()>(Err(refused()));
        let _ = problems.take::<()>(Err(ApiError::field("nonce", "must be hex")));
        assert_eq!(problems.take(Ok(1)).expect("a value"), Some(1));
        let error = body(&problems.into_error());
        assert_eq!(error["code"], "INVALID_REQUEST");
        assert_eq!(error["details"]["fields"][0]["message"], "`wallet_address` is wrong: It is too short.");
        assert_eq!(error["details"]["fields"][1]["message"], "`nonce` must be hex.");
        let mut problems = FieldProblems::new(Place::Body);
        assert!(problems.take::<()>(Err(Code::Unauthorized.into())).is_err());
        assert!(problems.end().is_ok());
    }

    #[test]
    fn a_nested_field_is_named_with_its_place() {
        let mut problems = FieldProblems::new(Place::Body);
        problems.unknown("proof.walletAddress", &["wallet_address"]);
        assert_eq!(body(&problems.into_error())["details"]["fields"][0]["did_you_mean"], "proof.wallet_address");
    }
}
