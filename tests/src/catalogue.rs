//! The catalogue's snapshot: written as the schedule does, looked at and damaged behind the service's back.

use crochet_client::Client;
use serde_json::{Value, json};

use crate::costs::Costs;
use crate::expect::{list, text};
use crate::failure::Failure;
use crate::world::World;

/// The key of an item, in DynamoDB's own spelling.
fn key(pk: &str, sk: &str) -> Value {
    json!({ "PK": { "S": pk }, "SK": { "S": sk } })
}

impl World {
    /// Writes a snapshot whether it is due or not, as the scheduled function does; tells what became of it.
    ///
    /// # Errors
    /// Where the database is away.
    pub async fn write_snapshot(&self) -> Result<String, Failure> {
        self.stack()?.write_snapshot(true).await.map_err(Failure::new)
    }

    /// Lets the schedule come round.
    ///
    /// # Errors
    /// As [`World::write_snapshot`].
    pub async fn write_snapshot_if_due(&self) -> Result<String, Failure> {
        self.stack()?.write_snapshot(false).await.map_err(Failure::new)
    }

    /// A client of another instance of every function, which has just been started; and what its requests cost.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub async fn another_instance(&self) -> Result<(Client, Costs), Failure> {
        let (client, costs) = self.stack()?.another_instance().await.map_err(Failure::new)?;
        Ok((client, Costs::new(costs)))
    }

    /// The head of the snapshot, as it lies in the table; none where there is no snapshot.
    ///
    /// # Errors
    /// Where the table cannot be reached.
    pub async fn snapshot_head(&self) -> Result<Option<Value>, Failure> {
        let found = self.table_of_books()?.item(&key("SNAPSHOT#CATALOGUE", "HEAD")).await?;
        Ok(found)
    }

    /// Changes the head of the snapshot by this expression; `:v` is the value.
    ///
    /// # Errors
    /// Where the table refuses.
    pub async fn change_snapshot_head(&self, expression: &str, value: &Value) -> Result<(), Failure> {
        self.table_of_books()?.change(&key("SNAPSHOT#CATALOGUE", "HEAD"), expression, Some(value)).await
    }

    /// Puts other bytes into a part of the snapshot; none removes it.
    ///
    /// # Errors
    /// Where the table refuses.
    pub async fn damage_snapshot_part(&self, n: usize, base64: Option<&str>) -> Result<(), Failure> {
        let head = self.snapshot_head().await?.ok_or_else(|| Failure::new("there is no snapshot"))?;
        let part = key(&format!("SNAPSHOT#{}#{n}", text(&head["generation"], "S")), "PART");
        match base64 {
            Some(bytes) => self.table_of_books()?.change(&part, "SET bytes = :v", Some(&json!({ "B": bytes }))).await,
            None => self.table_of_books()?.change(&part, "REMOVE bytes", None).await,
        }
    }

    /// Takes a listing out of the order of change, so that only a snapshot knows it.
    ///
    /// # Errors
    /// Where the table refuses.
    pub async fn hide_from_feed(&self, listing: &str) -> Result<(), Failure> {
        let key = key(&format!("LISTING#{listing}"), "LISTING");
        self.table_of_books()?.change(&key, "REMOVE gsi3pk, gsi3sk", None).await
    }

    /// Whether the unpacked snapshot holds this text.
    ///
    /// # Errors
    /// Where there is no snapshot, or it cannot be unpacked.
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
