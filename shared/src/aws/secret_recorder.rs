//! Reports requests to Secrets Manager as IAM sees them.

use aws_sdk_secretsmanager::operation::create_secret::CreateSecretInput;
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretInput;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueInput;
use aws_sdk_secretsmanager::operation::list_secrets::ListSecretsInput;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueInput;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{BeforeSerializationInterceptorContextRef, Input};
use aws_smithy_types::config_bag::ConfigBag;

use crate::telemetry::actions::record;

/// Reports every request to the log of actions.
#[derive(Debug)]
pub(super) struct SecretRecorder;

impl Intercept for SecretRecorder {
    fn name(&self) -> &'static str {
        "SecretRecorder"
    }

    fn read_before_execution(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (operation, name) = asked(context.input());
        record(&format!("secretsmanager:{operation}"), resource(name), "", []);
        Ok(())
    }
}

/// The operation, and the secret that it names. Whatever else is sent shows up as something that no role allows.
fn asked(input: &Input) -> (&'static str, Option<&str>) {
    if let Some(read) = input.downcast_ref::<GetSecretValueInput>() {
        return ("GetSecretValue", read.secret_id());
    }
    if let Some(put) = input.downcast_ref::<PutSecretValueInput>() {
        return ("PutSecretValue", put.secret_id());
    }
    if let Some(create) = input.downcast_ref::<CreateSecretInput>() {
        return ("CreateSecret", create.name());
    }
    if let Some(delete) = input.downcast_ref::<DeleteSecretInput>() {
        return ("DeleteSecret", delete.secret_id());
    }
    if input.downcast_ref::<ListSecretsInput>().is_some() {
        return ("ListSecrets", None);
    }
    ("Other", None)
}

/// The secret's name, with `*` for what belongs to one listing. An operation without a name asks about all secrets.
fn resource(name: Option<&str>) -> String {
    match name.map(|name| name.split_once("/listing/").ok_or(name)) {
        Some(Ok((stack, _))) => format!("{stack}/listing/*"),
        Some(Err(name)) => name.to_owned(),
        None => "*".to_owned(),
    }
}
