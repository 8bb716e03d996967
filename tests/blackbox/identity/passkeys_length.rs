//! Limits on what is stored of a passkey.

use crochet_tests::{Ceremony, Outcome, Passkey, Person, Replies, Tampering, shared};
use http::Method;
use serde_json::{Value, json};

#[test]
fn no_browser_makes_its_passkey_long() -> Outcome {
    shared(async |world| {
        let ceremony = world.client.begin_sign_up("Talkative").await?;
        let origin = world.client.origin().await?;
        let (passkey, mut credential) = Passkey::create(&ceremony.public_key, &origin, &Tampering::default())?;
        credential["response"]["transports"] = json!(vec!["smart-card"; 4_000]);
        let finish = async |ceremony: &Ceremony, credential: &Value| {
            world.client.from_page(Method::POST, "/auth/passkey/register/finish").json(&ceremony.finish(credential)).send().await
        };
        let reply = finish(&ceremony, &credential).await?;
        Person::signed_up(&world.client, passkey, origin.clone(), &reply)?.log_in().await?;
        if let Some(stored) = world.stored().await? {
            assert!(!stored.contains("smart-card"), "it is stored how the browser reaches the authenticator");
        }
        let long = Tampering { id: Some(vec![7; 4_000]), ..Tampering::default() };
        let ceremony = world.client.begin_sign_up("Talkative").await?;
        let (_, credential) = Passkey::create(&ceremony.public_key, &origin, &long)?;
        finish(&ceremony, &credential).await?.refused(401, "PASSKEY_REFUSED");
        Ok(())
    })
}
