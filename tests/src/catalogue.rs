//! The catalogue's snapshot: written as by its schedule, and read and damaged in the table.

use crochet_client::Client;
use serde_json::{Value, json};

use crate::costs::Costs;
use crate::expect::{list, text};
use crate::failure::Failure;
use crate::world::World;

/// The sort key of the snapshot's head. The number is that of the format.
const HEAD: &str = "HEAD#3";

/// The key of an item, in DynamoDB JSON.
pub(crate) fn key(pk: &str, sk: &str) -> Value {
    json!({ "PK": { "S": pk }, "SK": { "S": sk } })
}

impl World {
    /// Writes a snapshot whether it is due or not. Returns the outcome.
    pub async fn write_snapshot(&self) -> Result<String, Failure> {
        self.stack()?.write_snapshot(true).await.map_err(Failure::new)
    }

    /// Writes a snapshot if it is due. Returns the outcome.
    pub async fn write_snapshot_if_due(&self) -> Result<String, Failure> {
        self.stack()?.write_snapshot(false).await.map_err(Failure::new)
    }

    /// Starts another instance of every function. Returns a client of it and the costs of its requests.
    pub async fn another_instance(&self) -> Result<(Client, Costs), Failure> {
        let (client, costs) = self.stack()?.another_instance().await.map_err(Failure::new)?;
        Ok((client, Costs::new(costs)))
    }

    /// The snapshot's head item, if there is a snapshot.
    pub async fn snapshot_head(&self) -> Result<Option<Value>, Failure> {
        let found = self.table_of_books()?.item(&key("SNAPSHOT#CATALOGUE", HEAD)).await?;
        Ok(found)
    }

    /// Puts the snapshot under the head of another format.
    pub async fn move_snapshot_head(&self, format: u32) -> Result<(), Failure> {
        let mut head = self.snapshot_head().await?.ok_or_else(|| Failure::new("there is no snapshot"))?;
        head["SK"] = json!({ "S": format!("HEAD#{format}") });
        self.table_of_books()?.put(&head).await?;
        self.table_of_books()?.delete(&key("SNAPSHOT#CATALOGUE", HEAD)).await
    }

    /// Replaces the bytes of a part of the snapshot, or removes them.
    pub async fn damage_snapshot_part(&self, n: usize, base64: Option<&str>) -> Result<(), Failure> {
        let head = self.snapshot_head().await?.ok_or_else(|| Failure::new("there is no snapshot"))?;
        let part = key(&format!("SNAPSHOT#{}#{n}", text(&head["generation"], "S")), "PART");
        match base64 {
            Some(bytes) => self.table_of_books()?.change(&part, "SET bytes = :v", Some(&json!({ "B": bytes }))).await,
            None => self.table_of_books()?.change(&part, "REMOVE bytes", None).await,
        }
    }

    /// Removes a listing from the index of changes, so that only a snapshot contains it.
    pub async fn hide_from_feed(&self, listing: &str) -> Result<(), Failure> {
        let key = key(&format!("LISTING#{listing}"), "LISTING");
        self.table_of_books()?.change(&key, "REMOVE gsi3pk, gsi3sk", None).await
    }

    /// Whether the unpacked snapshot contains this text.
    ///
    /// # Errors
    /// If there is no snapshot, or it cannot be unpacked.
    pub async fn snapshot_mentions(&self, mark: &str) -> Result<bool, Failure> {
        let head = self.snapshot_head().await?.ok_or_else(|| Failure::new("there is no snapshot"))?;
        let mut n = 0;
        for stream in ["listings", "index"] {
            let mut packed = Vec::new();
            for _ in list(&head[stream]["M"]["parts"], "L") {
                let part = key(&format!("SNAPSHOT#{}#{n}", text(&head["generation"], "S")), "PART");
                let part = self.table_of_books()?.item(&part).await?.ok_or_else(|| Failure::new("a part is missing"))?;
                packed.extend(base64::Engine::decode(&base64::prelude::BASE64_STANDARD, text(&part["bytes"], "B"))?);
                n += 1;
            }
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut bytes)?;
            if bytes.windows(mark.len()).any(|window| window == mark.as_bytes()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
