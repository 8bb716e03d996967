//! What the AWS clients share.

mod secret_recorder;

use std::sync::OnceLock;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::telemetry::actions;

/// A client of Secrets Manager.
pub(crate) async fn secrets_client(endpoint: Option<&str>) -> aws_sdk_secretsmanager::Client {
    let shared = sdk_config(endpoint).await;
    let mut settings = aws_sdk_secretsmanager::config::Builder::from(&shared);
    if actions::is_recording() {
        settings = settings.interceptor(secret_recorder::SecretRecorder);
    }
    aws_sdk_secretsmanager::Client::from_conf(settings.build())
}

/// Settings of every AWS client: rustls with ring, two attempts of one second each, and fixed credentials unless the endpoint is
/// AWS's own.
pub async fn sdk_config(endpoint: Option<&str>) -> aws_config::SdkConfig {
    // Both clients share one connection pool, and read the machine's certificates once.
    static HTTPS: OnceLock<SharedHttpClient> = OnceLock::new();
    let ring = tls::Provider::rustls(tls::rustls_provider::CryptoMode::Ring);
    let https = HTTPS.get_or_init(|| aws_smithy_http_client::Builder::new().tls_provider(ring).build_https()).clone();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(900))
        .operation_attempt_timeout(Duration::from_secs(1))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(https)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(50)));
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint).region(Region::new("us-east-1")).credentials_provider(Credentials::new(
            "local",
            "local",
            None,
            None,
            "fixed for a local endpoint",
        ));
    }
    loader.load().await
}
