//! Secrets that are handed in: never on the command line, which others can see and the audit trail records.

use secrecy::{ExposeSecret, SecretString};

/// Where a command reads a secret from.
#[derive(Debug, Clone, Default)]
pub enum Input {
    /// One line of standard input.
    #[default]
    Standard,
    /// This text.
    Text(SecretString),
}

impl Input {
    /// One line, without white space around it. `what` is what to ask for.
    ///
    /// # Errors
    /// One sentence, if it is empty or cannot be read.
    pub(crate) fn line(&self, what: &str) -> Result<SecretString, String> {
        let line = match self {
            Self::Text(text) => text.clone(),
            Self::Standard => {
                let mut line = String::new();
                std::io::stdin().read_line(&mut line).map_err(|error| format!("Standard input cannot be read: {error}."))?;
                SecretString::from(line)
            }
        };
        match line.expose_secret().trim() {
            "" => Err(format!("Say {what} on standard input.")),
            text => Ok(text.into()),
        }
    }
}
