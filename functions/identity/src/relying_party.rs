//! The WebAuthn relying party: it creates the options for browsers and verifies their responses.
//!
//! Its id and origin come from the configured public URL, never from a header. A response must come from exactly this origin, from
//! a page that is not framed by another site, with user verification, and with an increasing signature counter.

use std::sync::Arc;

use crochet::config::Config;
use crochet::http::{ApiError, Code};
use crochet_domain::ids::{ProfileId, sha256_hex};
use crochet_domain::passkey::Passkeys;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    CredentialID, DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Uuid,
    Webauthn, WebauthnBuilder,
};

/// Maximum size of a stored credential in bytes. A usual one takes about 600. Ten of the largest fit into one item.
const MAX_CREDENTIAL_BYTES: usize = 4_096;

/// The relying party of this deployment. There is none if the public URL names an IP address. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct RelyingParty(Option<Arc<Webauthn>>);

/// A ceremony that has started: the options for the browser, and the state needed to verify its response.
#[derive(Debug)]
pub(crate) struct Started {
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`.
    pub(crate) public_key: Value,
    /// The state to store.
    pub(crate) state: String,
}

/// A browser's response to a registration, well-formed but not verified.
#[derive(Debug)]
pub(crate) struct NewCredential(RegisterPublicKeyCredential);

/// A browser's response to a login, well-formed but not verified.
#[derive(Debug)]
pub(crate) struct Assertion {
    response: PublicKeyCredential,
    /// The person that it claims: the user handle.
    pub(crate) person: ProfileId,
    /// SHA-256 of the credential id, in hex.
    pub(crate) credential_sha256: String,
}

/// A verified new credential.
#[derive(Debug)]
pub(crate) struct VerifiedCredential {
    /// The credential to store.
    pub(crate) credential: String,
    /// SHA-256 of its id, in hex.
    pub(crate) credential_sha256: String,
}

impl RelyingParty {
    /// The relying party for the configured public URL.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let url = &config.public_url;
        let party = url.domain().and_then(|domain| WebauthnBuilder::new(domain, url).ok()?.rp_name("Crochet").build().ok());
        Self(party.map(Arc::new))
    }

    fn party(&self) -> Result<&Webauthn, ApiError> {
        self.0.as_deref().ok_or_else(|| Code::PasskeysUnavailable.into())
    }

    /// Starts the registration of a discoverable passkey, with which a person can log in without a user name.
    ///
    /// # Errors
    /// `PASSKEYS_UNAVAILABLE`.
    pub(crate) fn start_registration(&self, person: ProfileId, name: &str, known: Option<&Passkeys>) -> Result<Started, ApiError> {
        let handle = person.to_string().parse::<Uuid>().map_err(ApiError::internal)?;
        let known: Vec<CredentialID> = known
            .iter()
            .flat_map(|known| &known.passkeys)
            .map(|passkey| stored::<Passkey>(&passkey.credential).map(|passkey| passkey.cred_id().clone()))
            .collect::<Result<_, _>>()?;
        let (options, state) =
            self.party()?.start_passkey_registration(handle, name, name, Some(known)).map_err(ApiError::internal)?;
        let mut public_key = serde_json::to_value(options.public_key).map_err(ApiError::internal)?;
        // The library discourages discoverable credentials, which login without a user name needs. A response does not prove that a
        // credential is discoverable, and no check depends on it.
        public_key["authenticatorSelection"]["residentKey"] = json!("required");
        public_key["authenticatorSelection"]["requireResidentKey"] = json!(true);
        Ok(Started { public_key, state: serde_json::to_string(&state).map_err(ApiError::internal)? })
    }

    /// Verifies the response to a registration.
    ///
    /// # Errors
    /// `PASSKEY_REFUSED`.
    pub(crate) fn finish_registration(&self, response: &NewCredential, state: &str) -> Result<VerifiedCredential, ApiError> {
        // If the browser says that the credential is not discoverable, nobody could log in with it.
        if response.0.extensions.cred_props.as_ref().is_some_and(|props| props.rk == Some(false)) {
            return Err(refusal("the credential is not discoverable"));
        }
        let state = stored::<PasskeyRegistration>(state)?;
        let passkey = self.party()?.finish_passkey_registration(&response.0, &state).map_err(refusal)?;
        Ok(VerifiedCredential {
            credential: without_attestation(serde_json::to_value(&passkey).map_err(ApiError::internal)?)?,
            credential_sha256: sha256_hex(passkey.cred_id()),
        })
    }

    /// Starts a login with any passkey of this relying party.
    ///
    /// # Errors
    /// `PASSKEYS_UNAVAILABLE`.
    pub(crate) fn start_login(&self) -> Result<Started, ApiError> {
        // `mediation` is left out: the page chooses between a button and autofill.
        let (options, state) = self.party()?.start_discoverable_authentication().map_err(ApiError::internal)?;
        Ok(Started {
            public_key: serde_json::to_value(options.public_key).map_err(ApiError::internal)?,
            state: serde_json::to_string(&state).map_err(ApiError::internal)?,
        })
    }

    /// Verifies the response to a login against the person's passkeys, and returns the passkeys after the login.
    ///
    /// # Errors
    /// `PASSKEY_REFUSED`, whatever the reason.
    pub(crate) fn finish_login(
        &self,
        assertion: &Assertion,
        state: &str,
        known: &Passkeys,
        now_ms: i64,
    ) -> Result<Passkeys, ApiError> {
        let passkey = known.of_credential(&assertion.credential_sha256).ok_or_else(|| refusal("the person has no such passkey"))?;
        // The library checks this for registrations only.
        if is_framed(&assertion.response.response.client_data_json) {
            return Err(refusal("the page was framed by another site"));
        }
        let state = stored::<DiscoverableAuthentication>(state)?;
        let mut credential = stored::<Passkey>(&may_be_backed_up(&passkey.credential, &assertion.response)?)?;
        let result =
            self.party()?.finish_discoverable_authentication_v2(&assertion.response, state, &credential).map_err(refusal)?;
        credential.update_credential(&result);
        let credential = serde_json::to_string(&credential).map_err(ApiError::internal)?;
        Ok(known.after_login(passkey.id, &credential, now_ms))
    }
}

impl NewCredential {
    /// Parses the result of `credential.toJSON()`. Unknown fields are ignored.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, naming the field.
    pub(crate) fn read(credential: Value) -> Result<Self, ApiError> {
        credential_of(credential).map(Self)
    }

    /// SHA-256 of the credential id, in hex.
    pub(crate) fn credential_sha256(&self) -> String {
        sha256_hex(&self.0.raw_id)
    }
}

impl Assertion {
    /// As [`NewCredential::read`].
    ///
    /// # Errors
    /// `INVALID_REQUEST`, naming the field.
    pub(crate) fn read(credential: Value) -> Result<Self, ApiError> {
        let response: PublicKeyCredential = credential_of(credential)?;
        let handle = response.get_user_unique_id().and_then(|handle| Uuid::from_slice(handle).ok());
        let person = handle.and_then(|handle| handle.to_string().parse().ok());
        let problem = "must be the user handle that this deployment assigned: log in with a passkey that was created here";
        Ok(Self {
            person: person.ok_or_else(|| ApiError::field("credential.response.userHandle", problem))?,
            credential_sha256: sha256_hex(response.get_credential_id()),
            response,
        })
    }
}

fn credential_of<T: DeserializeOwned>(credential: Value) -> Result<T, ApiError> {
    if credential["type"] != "public-key" {
        return Err(ApiError::field("credential", "must be the result of toJSON() of a PublicKeyCredential"));
    }
    serde_json::from_value(credential)
        .map_err(|_| ApiError::field("credential", "must be the unchanged result of toJSON() of the PublicKeyCredential"))
}

/// The credential to store, without attestation certificates and transports. A browser can make both arbitrarily long, and no login
/// needs them.
///
/// # Errors
/// `PASSKEY_REFUSED` if the rest is longer than [`MAX_CREDENTIAL_BYTES`].
fn without_attestation(mut passkey: Value) -> Result<String, ApiError> {
    let credential = &mut passkey["cred"];
    credential["attestation"] = json!({ "data": "None", "metadata": "None" });
    credential["attestation_format"] = json!("none");
    credential["transports"] = Value::Null;
    let text = passkey.to_string();
    if text.len() > MAX_CREDENTIAL_BYTES {
        return Err(refusal(format!("the credential takes {} bytes", text.len())));
    }
    Ok(text)
}

/// The stored credential, with what the response says of backups: an authenticator may begin to back up a passkey that it did not
/// before, when it is updated. The library refuses that in part. The signature, which is verified next, covers the flag.
fn may_be_backed_up(credential: &str, response: &PublicKeyCredential) -> Result<String, ApiError> {
    /// The flag of the authenticator data (Web Authentication, section 6.1) that says that the credential can be backed up.
    const BACKUP_ELIGIBLE: u8 = 1 << 3;
    /// The flags follow the hash of the relying party's id.
    const FLAGS_AT: usize = 32;
    if response.response.authenticator_data.get(FLAGS_AT).is_none_or(|flags| flags & BACKUP_ELIGIBLE == 0) {
        return Ok(credential.to_owned());
    }
    let mut credential: Value = stored(credential)?;
    credential["cred"]["backup_eligible"] = json!(true);
    Ok(credential.to_string())
}

/// Deserializes what the table holds.
fn stored<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_json::from_str(text).map_err(|e| ApiError::internal(e).alarm())
}

/// One error for every problem with a passkey. The operator's log has the reason.
fn refusal(reason: impl std::fmt::Display) -> ApiError {
    ApiError::new(Code::PasskeyRefused).cause(reason)
}

fn is_framed(client_data_json: &[u8]) -> bool {
    let data: Value = serde_json::from_slice(client_data_json).unwrap_or_default();
    data["crossOrigin"] == true
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    fn party(public_url: &str) -> RelyingParty {
        let config = Config::from_lookup(|name| (name == "CROCHET_PUBLIC_URL").then(|| public_url.to_owned())).expect("a config");
        RelyingParty::of(&config)
    }

    #[test]
    fn party_and_policy_are_what_a_log_in_without_a_name_needs() {
        let person = ProfileId::generate(OffsetDateTime::UNIX_EPOCH);
        let started = party("https://market.example/").start_registration(person, "Ada", None).expect("options");
        assert_eq!(started.public_key["rp"], json!({ "id": "market.example", "name": "Crochet" }));
        let selection = &started.public_key["authenticatorSelection"];
        assert_eq!(selection["residentKey"], "required");
        assert_eq!((&selection["requireResidentKey"], &selection["userVerification"]), (&json!(true), &json!("required")));
        let started = party("https://market.example:8443/").start_login().expect("options");
        assert_eq!(
            (&started.public_key["rpId"], &started.public_key["userVerification"]),
            (&json!("market.example"), &json!("required"))
        );
        assert_eq!((&started.public_key["allowCredentials"], &started.public_key["mediation"]), (&json!([]), &Value::Null));
    }

    #[test]
    fn what_is_kept_of_a_credential_is_short() {
        let long = "A".repeat(20_000);
        let made = |id: &str| {
            json!({ "cred": {
                "cred_id": id, "transports": ["usb", "usb"], "attestation_format": "packed",
                "attestation": { "data": { "Basic": [long] }, "metadata": { "Packed": { "aaguid": long } } },
            } })
        };
        let short = without_attestation(made("id")).expect("short enough");
        assert!(short.len() < 200 && short.contains(r#""cred_id":"id""#), "{short}");
        assert!(without_attestation(made(&"A".repeat(MAX_CREDENTIAL_BYTES - 200))).is_ok());
        let error = without_attestation(made(&"A".repeat(MAX_CREDENTIAL_BYTES))).expect_err("too long");
        assert_eq!(error.code(), Code::PasskeyRefused);
        assert!(error.operator_message().is_some_and(|message| message.contains("bytes")));
    }

    #[test]
    fn an_ip_address_can_have_no_passkeys() {
        for url in ["http://127.0.0.1:9000", "http://[::1]:9000", "https://192.0.2.1"] {
            let error = party(url).start_login().expect_err("no party");
            assert_eq!(error.code(), Code::PasskeysUnavailable, "{url}");
        }
        assert!(party("http://localhost:9000").start_login().is_ok());
    }

    #[test]
    fn what_is_no_credential_names_its_field() {
        for bad in [json!(null), json!({}), json!({ "type": "password" }), json!({ "type": "public-key", "id": 1 })] {
            assert_eq!(NewCredential::read(bad.clone()).expect_err("refused").code(), Code::InvalidRequest);
            assert_eq!(Assertion::read(bad).expect_err("refused").code(), Code::InvalidRequest);
        }
    }
}
