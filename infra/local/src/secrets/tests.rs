//! Secrets across a restart.

use std::fs;

use super::*;

/// A temporary directory.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn secrets_survive_a_restart_with_their_versions() {
    let name = format!("crochet-secrets-{}", hex::encode(crochet_client::random_bytes::<8>()));
    let scratch = Scratch(std::env::temp_dir().join(name));
    let first = Secrets::open(Some(scratch.0.clone())).await.expect("an emulator");
    first.create_operator_secrets().await.expect("the operator's secret");
    let ids: Vec<String> = (0..3).map(|n| format!("{n}").repeat(36)).collect();
    first
        .call("CreateSecret", json!({ "Name": "a/b", "SecretString": "v0", "ClientRequestToken": ids[0] }))
        .await
        .expect("created");
    for (n, id) in ids.iter().enumerate().skip(1) {
        let put = json!({ "SecretId": "a/b", "SecretString": format!("v{n}"), "ClientRequestToken": id });
        first.call("PutSecretValue", put).await.expect("put");
    }
    first.call("CreateSecret", json!({ "Name": "gone", "SecretString": "x" })).await.expect("created");
    let delete = json!({ "SecretId": "gone", "ForceDeleteWithoutRecovery": true });
    first.call("DeleteSecret", delete).await.expect("deleted");
    let operator = json!({ "SecretId": OPERATOR_SECRET });
    let before = first.call("GetSecretValue", operator.clone()).await.expect("a value");

    let second = Secrets::open(Some(scratch.0.clone())).await.expect("an emulator");
    let after = second.call("GetSecretValue", operator).await.expect("a value");
    assert_eq!(before["SecretString"], after["SecretString"]);
    for (n, id) in ids.iter().enumerate() {
        let value = second.call("GetSecretValue", json!({ "SecretId": "a/b", "VersionId": id })).await.expect("a value");
        assert_eq!(value["SecretString"], format!("v{n}"));
    }
    let described = second.call("DescribeSecret", json!({ "SecretId": "a/b" })).await.expect("described");
    assert_eq!(described["VersionIdsToStages"], json!({ &ids[2]: ["AWSCURRENT"], &ids[1]: ["AWSPREVIOUS"] }));
    assert!(second.call("DescribeSecret", json!({ "SecretId": "gone" })).await.is_err());
}
