//! The table. Its operations are in `read`, `conditional` and `transaction`; no other file sends a request to DynamoDB.

/// The table.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) client: aws_sdk_dynamodb::Client,
    pub(super) name: String,
}

impl Table {
    /// The table with this name.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, name: String) -> Self {
        Self { client, name }
    }
}
