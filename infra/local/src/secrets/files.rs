//! Stores the emulator's secrets in files, one per secret, so that they survive a restart with `--data`.
//!
//! The values are plain text. They are valid for the local stack only.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::dates::{Dated, Dates};
use super::emulator::Emulator;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// A directory of secrets.
pub(super) struct SecretFiles {
    directory: PathBuf,
    /// Keeps concurrent changes of one secret in order.
    writing: Mutex<()>,
}

/// The content of one file.
#[derive(Serialize, Deserialize)]
struct Saved {
    name: String,
    description: Option<String>,
    /// Scheduled for deletion.
    deleted: bool,
    #[serde(default)]
    dated: Option<Dated>,
    versions: Vec<SavedVersion>,
}

#[derive(Serialize, Deserialize)]
struct SavedVersion {
    id: String,
    stages: Vec<String>,
    string: String,
}

/// Whether the operation may change a secret.
pub(super) fn changes_something(operation: &str) -> bool {
    !["Get", "Describe", "List", "BatchGet", "Validate"].iter().any(|reading| operation.starts_with(reading))
}

impl SecretFiles {
    pub(super) fn open(directory: PathBuf) -> Result<Self, String> {
        fs::create_dir_all(&directory).map_err(|error| format!("{} could not be created: {error}", directory.display()))?;
        Ok(Self { directory, writing: Mutex::new(()) })
    }

    /// Loads every secret of the directory into the emulator, and its dates.
    pub(super) async fn restore(&self, emulator: &Emulator, dates: &Dates) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{} could not be read: {error}", self.directory.display());
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                restore_one(emulator, dates, &path).await.map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        Ok(())
    }

    /// Stores the secret that a successful request with this body changed.
    pub(super) async fn note(&self, emulator: &Emulator, dates: &Dates, request: &[u8]) -> Result<(), String> {
        let request: Value = serde_json::from_slice(request).map_err(|error| error.to_string())?;
        let Some(id) = request["SecretId"].as_str().or(request["Name"].as_str()) else {
            return Ok(());
        };
        let _writing = self.writing.lock().await;
        let Ok(described) = emulator.call("DescribeSecret", json!({ "SecretId": id })).await else {
            return self.forget(&name_of(id));
        };
        let name = described["Name"].as_str().unwrap_or(id);
        if !described["DeletedDate"].is_null() {
            return self.mark_deleted(name);
        }
        let saved = save(emulator, name, &described).await?;
        self.write(&Saved { dated: dates.of(name), ..saved })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{}.json", hex::encode(name)))
    }

    /// Writes a new file and renames it, so that a crash leaves the old or the new content.
    fn write(&self, saved: &Saved) -> Result<(), String> {
        let file = self.file(&saved.name);
        let new = file.with_extension("new");
        let text = serde_json::to_vec_pretty(saved).map_err(|error| error.to_string())?;
        fs::write(&new, text).and_then(|()| fs::rename(&new, &file)).map_err(|error| format!("{}: {error}", file.display()))
    }

    fn forget(&self, name: &str) -> Result<(), String> {
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    /// The emulator does not return the value of a secret that is scheduled for deletion, so the stored value stays.
    fn mark_deleted(&self, name: &str) -> Result<(), String> {
        let text = fs::read(self.file(name)).map_err(|error| error.to_string())?;
        let mut saved: Saved = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        saved.deleted = true;
        self.write(&saved)
    }
}

/// The name in an ARN (`…:secret:NAME-xxxxxx`), or the name itself.
fn name_of(id: &str) -> String {
    let Some((_, rest)) = id.split_once(":secret:") else {
        return id.to_owned();
    };
    rest.rsplit_once('-').map_or(rest, |(name, _)| name).to_owned()
}

async fn save(emulator: &Emulator, name: &str, described: &Value) -> Result<Saved, String> {
    let listed = emulator.call("ListSecretVersionIds", json!({ "SecretId": name, "IncludeDeprecated": true })).await?;
    let mut versions = Vec::new();
    for version in listed["Versions"].as_array().into_iter().flatten() {
        let Some(id) = version["VersionId"].as_str() else {
            continue;
        };
        let value = emulator.call("GetSecretValue", json!({ "SecretId": name, "VersionId": id })).await?;
        let stages = described["VersionIdsToStages"][id].as_array().into_iter().flatten();
        versions.push(SavedVersion {
            id: id.to_owned(),
            stages: stages.filter_map(|stage| stage.as_str().map(str::to_owned)).collect(),
            string: value["SecretString"].as_str().unwrap_or_default().to_owned(),
        });
    }
    // Restore order: making a version current makes its predecessor the previous one.
    versions.sort_by_key(|version| {
        let has = |stage: &str| version.stages.iter().any(|known| known == stage);
        (has(CURRENT), has(PREVIOUS))
    });
    let description = described["Description"].as_str().map(str::to_owned);
    Ok(Saved { name: name.to_owned(), description, deleted: false, dated: None, versions })
}

async fn restore_one(emulator: &Emulator, dates: &Dates, path: &Path) -> Result<(), String> {
    let text = fs::read(path).map_err(|error| error.to_string())?;
    let saved: Saved = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let mut create = json!({ "Name": saved.name });
    if let Some(description) = &saved.description {
        create["Description"] = description.as_str().into();
    }
    emulator.call("CreateSecret", create).await?;
    for version in &saved.versions {
        let mut stages: Vec<&str> = version.stages.iter().map(String::as_str).filter(|stage| *stage != PREVIOUS).collect();
        if !stages.contains(&CURRENT) {
            stages.push(CURRENT);
        }
        let put = json!({
            "SecretId": saved.name,
            "ClientRequestToken": version.id,
            "SecretString": version.string,
            "VersionStages": stages,
        });
        emulator.call("PutSecretValue", put).await?;
    }
    if let Some(dated) = saved.dated {
        dates.set(&saved.name, dated);
    }
    if saved.deleted {
        emulator.call("DeleteSecret", json!({ "SecretId": saved.name })).await?;
    }
    Ok(())
}
