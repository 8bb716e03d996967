//! The relying party of WebAuthn: what browsers are asked, and whether their answers prove anything.
//!
//! Party and origin come from the configured public URL, never from a header. Answers must come from exactly this origin, from a
//! page that no other site has framed, with the person verified by the authenticator, and with a counter that goes up.

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

/// What is kept of one credential is at most so long: ten of them fit an item several times over. An honest one takes some 600.
const MAX_CREDENTIAL_BYTES: usize = 4_096;

/// The relying party of this deployment; none where its public URL names an IP address. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct RelyingParty(Option<Arc<Webauthn>>);

/// A ceremony that begins: what the browser is asked, and what must be known to check its answer.
#[derive(Debug)]
pub(crate) struct Begun {
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`.
    pub(crate) public_key: Value,
    /// For the store.
    pub(crate) state: String,
}

/// A browser's answer to a registration, well formed.
#[derive(Debug)]
pub(crate) struct NewCredential(RegisterPublicKeyCredential);

/// A browser's answer to a log-in, well formed.
#[derive(Debug)]
pub(crate) struct Assertion {
    answer: PublicKeyCredential,
    /// Who it says it is: the user handle.
    pub(crate) person: ProfileId,
    /// SHA-256 of the credential id, in hex.
    pub(crate) credential_sha256: String,
}

/// A credential that was made as it should be.
#[derive(Debug)]
pub(crate) struct Made {
    /// For the store.
    pub(crate) credential: String,
    /// SHA-256 of its id, in hex.
    pub(crate) credential_sha256: String,
}

impl RelyingParty {
    /// As the public URL has it.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let url = &config.public_url;
        let party = url.domain().and_then(|domain| WebauthnBuilder::new(domain, url).ok()?.rp_name("Crochet").build().ok());
        Self(party.map(Arc::new))
    }

    fn party(&self) -> Result<&Webauthn, ApiError> {
        self.0.as_deref().ok_or_else(|| Code::PasskeysUnavailable.into())
    }

    /// Asks for a passkey of a person that no log-in need name: one that the authenticator finds by itself.
    ///
    /// # Errors
    /// `PASSKEYS_UNAVAILABLE`.
    pub(crate) fn begin_registration(&self, person: ProfileId, name: &str, known: Option<&Passkeys>) -> Result<Begun, ApiError> {
        let handle = person.to_string().parse::<Uuid>().map_err(ApiError::internal)?;
        let known: Vec<CredentialID> = known
            .iter()
            .flat_map(|known| &known.passkeys)
            .map(|passkey| stored::<Passkey>(&passkey.credential).map(|passkey| passkey.cred_id().clone()))
            .collect::<Result<_, _>>()?;
        let (options, state) =
            self.party()?.start_passkey_registration(handle, name, name, Some(known)).map_err(ApiError::internal)?;
        let mut public_key = serde_json::to_value(options.public_key).map_err(ApiError::internal)?;
        // The library discourages what a log-in without a name needs. How the credential is kept is between browser and
        // authenticator: no answer proves it, and no check depends on it.
        public_key["authenticatorSelection"]["residentKey"] = json!("required");
        public_key["authenticatorSelection"]["requireResidentKey"] = json!(true);
        Ok(Begun { public_key, state: serde_json::to_string(&state).map_err(ApiError::internal)? })
    }

    /// Checks the answer to a registration.
    ///
    /// # Errors
    /// `PASSKEY_REFUSED`.
    pub(crate) fn finish_registration(&self, answer: &NewCredential, state: &str) -> Result<Made, ApiError> {
        // A browser that says that it could not keep the credential is believed: nobody could log in with it.
        if answer.0.extensions.cred_props.as_ref().is_some_and(|props| props.rk == Some(false)) {
            return Err(refusal("the credential is not discoverable"));
        }
        let state = stored::<PasskeyRegistration>(state)?;
        let passkey = self.party()?.finish_passkey_registration(&answer.0, &state).map_err(refusal)?;
        Ok(Made {
            credential: kept(serde_json::to_value(&passkey).map_err(ApiError::internal)?)?,
            credential_sha256: sha256_hex(passkey.cred_id()),
        })
    }

    /// Asks for any passkey of this party.
    ///
    /// # Errors
    /// `PASSKEYS_UNAVAILABLE`.
    pub(crate) fn begin_login(&self) -> Result<Begun, ApiError> {
        // What the library says of `mediation` stands beside these options: pages choose between a button and a form's list.
        let (options, state) = self.party()?.start_discoverable_authentication().map_err(ApiError::internal)?;
        Ok(Begun {
            public_key: serde_json::to_value(options.public_key).map_err(ApiError::internal)?,
            state: serde_json::to_string(&state).map_err(ApiError::internal)?,
        })
    }

    /// Checks the answer to a log-in against the person's passkeys, and gives them as they are after it.
    ///
    /// # Errors
    /// `PASSKEY_REFUSED`, whatever is wrong.
    pub(crate) fn finish_login(
        &self,
        answer: &Assertion,
        state: &str,
        known: &Passkeys,
        now_ms: i64,
    ) -> Result<Passkeys, ApiError> {
        let passkey = known.of_credential(&answer.credential_sha256).ok_or_else(|| refusal("the person has no such passkey"))?;
        // The library checks this of registrations only.
        if is_framed(&answer.answer.response.client_data_json) {
            return Err(refusal("the page was framed by another site"));
        }
        let state = stored::<DiscoverableAuthentication>(state)?;
        let mut credential = stored::<Passkey>(&passkey.credential)?;
        let result = self.party()?.finish_discoverable_authentication_v2(&answer.answer, state, &credential).map_err(refusal)?;
        credential.update_credential(&result);
        let credential = serde_json::to_string(&credential).map_err(ApiError::internal)?;
        Ok(known.after_use(passkey.id, &credential, now_ms))
    }
}

impl NewCredential {
    /// Reads what `credential.toJSON()` gave; members that nobody needs here are the browser's own affair.
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
        let answer: PublicKeyCredential = credential_of(credential)?;
        let handle = answer.get_user_unique_id().and_then(|handle| Uuid::from_slice(handle).ok());
        let person = handle.and_then(|handle| handle.to_string().parse().ok());
        let problem = "must hold the user handle that this deployment gave: log in with a passkey that was made here";
        Ok(Self {
            person: person.ok_or_else(|| ApiError::field("credential.response.userHandle", problem))?,
            credential_sha256: sha256_hex(answer.get_credential_id()),
            answer,
        })
    }
}

fn credential_of<T: DeserializeOwned>(credential: Value) -> Result<T, ApiError> {
    if credential["type"] != "public-key" {
        return Err(ApiError::field("credential", "must be a PublicKeyCredential as its toJSON() gives it"));
    }
    serde_json::from_value(credential)
        .map_err(|_| ApiError::field("credential", "must be what toJSON() of the PublicKeyCredential gave, unchanged"))
}

/// What is kept of a credential: neither an authenticator's certificates, which nobody asked for, nor how the browser reaches it;
/// both may be as long as the browser likes, and no log-in needs them.
///
/// # Errors
/// `PASSKEY_REFUSED` where the rest is longer than [`MAX_CREDENTIAL_BYTES`].
fn kept(mut passkey: Value) -> Result<String, ApiError> {
    let credential = &mut passkey["cred"];
    credential["attestation"] = json!({ "data": "None", "metadata": "None" });
    credential["attestation_format"] = json!("none");
    credential["transports"] = Value::Null;
    let text = passkey.to_string();
    if text.len() > MAX_CREDENTIAL_BYTES {
        return Err(refusal(format!("{} bytes would have to be kept of the credential", text.len())));
    }
    Ok(text)
}

/// Reads what this version wrote.
fn stored<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_json::from_str(text).map_err(|e| ApiError::internal(e).alarm())
}

/// One answer to whatever is wrong with a passkey; the operator's log knows what it is.
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
        let begun = party("https://market.example/").begin_registration(person, "Ada", None).expect("options");
        assert_eq!(begun.public_key["rp"], json!({ "id": "market.example", "name": "Crochet" }));
        let selection = &begun.public_key["authenticatorSelection"];
        assert_eq!(selection["residentKey"], "required");
        assert_eq!((&selection["requireResidentKey"], &selection["userVerification"]), (&json!(true), &json!("required")));
        let begun = party("https://market.example:8443/").begin_login().expect("options");
        assert_eq!(
            (&begun.public_key["rpId"], &begun.public_key["userVerification"]),
            (&json!("market.example"), &json!("required"))
        );
        assert_eq!((&begun.public_key["allowCredentials"], &begun.public_key["mediation"]), (&json!([]), &Value::Null));
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
        let kept_of_one = kept(made("id")).expect("short enough");
        assert!(kept_of_one.len() < 200 && kept_of_one.contains(r#""cred_id":"id""#), "{kept_of_one}");
        assert!(kept(made(&"A".repeat(MAX_CREDENTIAL_BYTES - 200))).is_ok());
        let error = kept(made(&"A".repeat(MAX_CREDENTIAL_BYTES))).expect_err("too long");
        assert_eq!(error.code(), Code::PasskeyRefused);
        assert!(error.operator_message().is_some_and(|message| message.contains("bytes")));
    }

    #[test]
    fn an_ip_address_can_have_no_passkeys() {
        for url in ["http://127.0.0.1:9000", "http://[::1]:9000", "https://192.0.2.1"] {
            let error = party(url).begin_login().expect_err("no party");
            assert_eq!(error.code(), Code::PasskeysUnavailable, "{url}");
        }
        assert!(party("http://localhost:9000").begin_login().is_ok());
    }

    #[test]
    fn what_is_no_credential_names_its_field() {
        for bad in [json!(null), json!({}), json!({ "type": "password" }), json!({ "type": "public-key", "id": 1 })] {
            assert_eq!(NewCredential::read(bad.clone()).expect_err("refused").code(), Code::InvalidRequest);
            assert_eq!(Assertion::read(bad).expect_err("refused").code(), Code::InvalidRequest);
        }
    }
}
