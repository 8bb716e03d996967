//! Secrets across a restart.

use std::fs;

use super::*;

fn seconds_now() -> f64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a time after 1970").as_secs_f64()
}

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
    let clock = Clock::system();
    clock.advance_ms(-86_400_000);
    let first = Secrets::open(Some(scratch.0.clone()), clock.clone()).await.expect("an emulator");
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
    let operator = json!({ "SecretId": KEYS_SECRET });
    let before = first.call("GetSecretValue", operator.clone()).await.expect("a value");

    clock.advance_ms(86_400_000);
    let second = Secrets::open(Some(scratch.0.clone()), clock).await.expect("an emulator");
    let after = second.call("GetSecretValue", operator).await.expect("a value");
    assert_eq!(before["SecretString"], after["SecretString"]);
    for (n, id) in ids.iter().enumerate() {
        let value = second.call("GetSecretValue", json!({ "SecretId": "a/b", "VersionId": id })).await.expect("a value");
        assert_eq!(value["SecretString"], format!("v{n}"));
    }
    let described = second.call("DescribeSecret", json!({ "SecretId": "a/b" })).await.expect("described");
    assert_eq!(described["VersionIdsToStages"], json!({ &ids[2]: ["AWSCURRENT"], &ids[1]: ["AWSPREVIOUS"] }));
    let age_s = seconds_now() - described["CreatedDate"].as_f64().expect("a date");
    assert!((86_390.0..86_500.0).contains(&age_s), "created a day ago by the stack's clock: {age_s}");
    assert!(second.call("DescribeSecret", json!({ "SecretId": "gone" })).await.is_err());
}

#[tokio::test]
async fn secrets_are_listed_by_prefix_in_pages_with_the_dates_of_the_stacks_clock() {
    let clock = Clock::system();
    let secrets = Secrets::open(None, clock.clone()).await.expect("an emulator");
    for n in 0..25 {
        let create = json!({ "Name": format!("mine/{n}"), "SecretString": "x", "Description": "mine" });
        secrets.call("CreateSecret", create).await.expect("created");
    }
    secrets.call("CreateSecret", json!({ "Name": "other/1", "SecretString": "x" })).await.expect("created");
    clock.advance_ms(3_600_000);
    secrets.call("PutSecretValue", json!({ "SecretId": "mine/3", "SecretString": "y" })).await.expect("put");
    let mut listed: Vec<Value> = Vec::new();
    let mut request = json!({ "Filters": [{ "Key": "name", "Values": ["mine/"] }], "MaxResults": 10 });
    loop {
        let page = secrets.call("ListSecrets", request.clone()).await.expect("a page");
        listed.extend(page["SecretList"].as_array().expect("secrets").iter().cloned());
        if page["NextToken"].is_null() {
            break;
        }
        request["NextToken"] = page["NextToken"].clone();
    }
    assert_eq!(listed.len(), 25);
    let hour_ago = |date: &Value| (-60.0..60.0).contains(&(seconds_now() - date.as_f64().expect("a date")));
    for secret in &listed {
        assert!(hour_ago(&secret["CreatedDate"]), "{secret}");
        assert_eq!(hour_ago(&secret["LastChangedDate"]), secret["Name"] != "mine/3", "{secret}");
        assert_eq!(secret["Description"], "mine");
    }
}
