//! The policies in `template.yaml`, and an evaluator of the part of IAM that they use.
//!
//! Whatever a statement says beyond that part is an error, so that nothing is overlooked.

use std::fmt;

use yaml_rust2::{Yaml, YamlLoader};

/// The policies of a function.
#[derive(Debug)]
pub(crate) struct Role {
    /// Logical id of the function.
    pub(super) function: String,
    statements: Vec<Statement>,
}

#[derive(Debug)]
struct Statement {
    is_deny: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    /// Patterns that all leading keys must match; `None` without such a condition.
    leading_keys: Option<Vec<String>>,
    /// All attributes must be among these; `None` without such a condition.
    attributes: Option<Vec<String>>,
}

/// A request as IAM sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a, S = String> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    pub(super) leading_keys: &'a [S],
    pub(super) attributes: &'a [S],
}

/// One thing that a role allows: an action on the items with one leading key, or one attribute of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) action: String,
    pub(super) resource: String,
    /// Such as `CALL#`; `*` for a statement that does not say.
    pub(super) leading_key: String,
    pub(super) attribute: Option<String>,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, resource, leading_key, attribute } = self;
        write!(f, "{action} {resource} {leading_key}")?;
        attribute.as_ref().map_or(Ok(()), |attribute| write!(f, " [{attribute}]"))
    }
}

impl Role {
    /// IAM's answer: allowed by a statement, and denied by none.
    pub(super) fn allows<S: AsRef<str>>(&self, request: &Request<'_, S>) -> bool {
        let matching =
            |is_deny: bool| self.statements.iter().any(|statement| statement.is_deny == is_deny && statement.matches(request));
        matching(false) && !matching(true)
    }

    /// Everything that the role allows.
    pub(super) fn cells(&self) -> Vec<Cell> {
        self.statements.iter().filter(|statement| !statement.is_deny).flat_map(Statement::cells).collect()
    }
}

impl Statement {
    fn matches<S: AsRef<str>>(&self, request: &Request<'_, S>) -> bool {
        let any = |patterns: &[String], text: &str| patterns.iter().any(|pattern| is_like(pattern, text));
        // ForAllValues is true of a request without any value.
        let all = |patterns: &Option<Vec<String>>, values: &[S]| {
            patterns.as_ref().is_none_or(|patterns| values.iter().all(|value| any(patterns, value.as_ref())))
        };
        any(&self.actions, request.action)
            && any(&self.resources, request.resource)
            && all(&self.leading_keys, request.leading_keys)
            && all(&self.attributes, request.attributes)
    }

    fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for action in &self.actions {
            for resource in &self.resources {
                // A scan and whatever is not about the table name no keys.
                let names_keys = action.starts_with("dynamodb:") && action != "dynamodb:Scan";
                let unsaid = vec![if names_keys { "*".to_owned() } else { String::new() }];
                let keys = self.leading_keys.as_ref().unwrap_or(&unsaid);
                for key in keys {
                    let key = if key == "*" { key } else { key.strip_suffix('*').unwrap_or(key) };
                    let attributes = self.attributes.iter().flatten().cloned().map(Some);
                    cells.extend(std::iter::once(None).chain(attributes).map(|attribute| Cell {
                        action: action.clone(),
                        resource: resource.clone(),
                        leading_key: key.to_owned(),
                        attribute,
                    }));
                }
            }
        }
        cells
    }
}

/// IAM's `StringLike`, with `*` at the end only. Elsewhere, `*` stands for itself.
fn is_like(pattern: &str, text: &str) -> bool {
    pattern == text || pattern.strip_suffix('*').is_some_and(|start| text.starts_with(start))
}

/// The roles of all functions, and the managed policies, which are for people.
///
/// # Errors
/// If the template is no YAML, or a policy uses something that the evaluator does not know.
pub(super) fn roles(template: &str) -> Result<Vec<Role>, String> {
    let documents = YamlLoader::load_from_str(template).map_err(|error| format!("template.yaml: {error}"))?;
    let resources =
        documents.first().and_then(|document| document["Resources"].as_hash()).ok_or("template.yaml has no resources")?;
    let mut roles = Vec::new();
    for (name, resource) in resources {
        let function = name.as_str().unwrap_or_default().to_owned();
        let properties = &resource["Properties"];
        let policies: Vec<&Yaml> = match resource["Type"].as_str() {
            Some("AWS::Serverless::Function") => properties["Policies"].as_vec().into_iter().flatten().collect(),
            Some("AWS::IAM::ManagedPolicy") => vec![&properties["PolicyDocument"]],
            _ => continue,
        };
        let mut statements = Vec::new();
        for policy in policies {
            for statement in policy["Statement"].as_vec().ok_or_else(|| format!("{function}: a policy without statements"))? {
                statements.push(Statement::read(statement).map_err(|problem| format!("{function}: {problem}"))?);
            }
        }
        roles.push(Role { function, statements });
    }
    Ok(roles)
}

impl Statement {
    fn read(yaml: &Yaml) -> Result<Self, String> {
        let sid = yaml["Sid"].as_str().unwrap_or("a statement").to_owned();
        let said = |problem: &str| format!("{sid}: {problem}");
        let is_deny = match yaml["Effect"].as_str() {
            Some("Allow") => false,
            Some("Deny") => true,
            _ => return Err(said("its Effect is neither Allow nor Deny")),
        };
        let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
        let fields = yaml.as_hash().ok_or_else(|| said("it is no mapping"))?;
        if let Some(other) = fields.keys().filter_map(Yaml::as_str).find(|field| !known.contains(field)) {
            return Err(said(&format!("{other} is not understood")));
        }
        let (mut leading_keys, mut attributes) = (None, None);
        for (operator, conditions) in yaml["Condition"].as_hash().into_iter().flatten() {
            for (key, values) in conditions.as_hash().into_iter().flatten() {
                match (operator.as_str(), key.as_str()) {
                    (Some("ForAllValues:StringLike"), Some("dynamodb:LeadingKeys")) => leading_keys = Some(texts(values)),
                    (Some("ForAllValues:StringEquals"), Some("dynamodb:Attributes")) => attributes = Some(texts(values)),
                    (operator, key) => return Err(said(&format!("the condition {operator:?} {key:?} is not understood"))),
                }
            }
        }
        let resources = texts(&yaml["Resource"]).iter().map(|resource| normal(resource)).collect::<Result<_, _>>();
        let resources = resources.map_err(|problem: String| said(&problem))?;
        Ok(Self { is_deny, actions: texts(&yaml["Action"]), resources, leading_keys, attributes })
    }
}

/// One text, or a list of texts.
fn texts(yaml: &Yaml) -> Vec<String> {
    let one = yaml.as_str().map(str::to_owned);
    one.into_iter().chain(yaml.as_vec().into_iter().flatten().filter_map(Yaml::as_str).map(str::to_owned)).collect()
}

/// A resource as the suite records it. The loader drops tags such as `!GetAtt` and keeps what they apply to.
fn normal(resource: &str) -> Result<String, String> {
    if resource == "TableArn.Value" {
        return Ok("table".into());
    }
    if resource == "AuditLog.Arn" || resource == "${AuditLog.Arn}:*" {
        return Ok("log/audit".into());
    }
    if resource == "*" {
        return Ok("*".into());
    }
    if let Some(index) = resource.strip_prefix("${TableArn.Value}/") {
        return Ok(index.to_owned());
    }
    if resource.ends_with(":secret:${AWS::StackName}/listing/*") {
        return Ok("crochet/listing/*".into());
    }
    match resource.strip_suffix("Secret") {
        Some(name) if name.chars().all(|c| c.is_ascii_alphanumeric()) => Ok(format!("crochet/{}", name.to_ascii_lowercase())),
        _ => Err(format!("the resource {resource} is not understood")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(is_like("KEY#*", "KEY#x") && is_like("KEY#*", "KEY#") && !is_like("KEY#*", "KEYS#x"));
        assert!(is_like("CATALOGUE", "CATALOGUE") && !is_like("CATALOGUE", "CATALOGUE2"));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let with = |statement: &str| {
            let policies = format!("Policies: [{{ Statement: [{statement}] }}]");
            roles(&format!("Resources: {{ F: {{ Type: AWS::Serverless::Function, Properties: {{ {policies} }} }} }}"))
        };
        assert!(with("{ Effect: Allow, Action: a, Resource: TableArn.Value }").is_ok());
        assert!(with("{ Effect: Allow, NotAction: a, Resource: TableArn.Value }").is_err());
        assert!(with("{ Effect: Allow, Action: a, Resource: Bucket.Arn }").is_err());
        assert!(with("{ Effect: Allow, Action: a, Resource: TableArn.Value, Condition: { Bool: { x: true } } }").is_err());
    }
}
