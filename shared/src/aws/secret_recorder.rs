//! Reports requests to Secrets Manager as IAM sees them.

use aws_sdk_secretsmanager::operation::create_secret::CreateSecretInput;
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretInput;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueInput;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueInput;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{BeforeSerializationInterceptorContextRef, Input};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
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
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = cfg.load::<Metadata>().map_or("Other", Metadata::name);
        record(&format!("secretsmanager:{operation}"), resource(context.input()), "", []);
        Ok(())
    }
}

/// The secret's name, with `*` for what belongs to one listing. An operation without a name asks about all secrets.
fn resource(input: &Input) -> String {
    let read = input.downcast_ref::<GetSecretValueInput>().and_then(GetSecretValueInput::secret_id);
    let put = input.downcast_ref::<PutSecretValueInput>().and_then(PutSecretValueInput::secret_id);
    let created = input.downcast_ref::<CreateSecretInput>().and_then(CreateSecretInput::name);
    let deleted = input.downcast_ref::<DeleteSecretInput>().and_then(DeleteSecretInput::secret_id);
    let Some(name) = read.or(put).or(created).or(deleted) else { return "*".to_owned() };
    match name.split_once("/listing/") {
        Some((stack, _)) => format!("{stack}/listing/*"),
        None => name.to_owned(),
    }
}
