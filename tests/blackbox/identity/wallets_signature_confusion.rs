//! A signature for one purpose is rejected for every other, even if an attacker tricks a wallet into signing it.

use crochet_tests::{Agent, Failure, Outcome, Person, Replies, Reply, Wallet, World, members, shared, text, unique_name};
use serde_json::{Value, json};

/// The parties. The attacker has the victim's API key, but not its wallets.
struct Scene<'a> {
    world: &'a World,
    victim: Agent,
    /// The victim's second wallet.
    second: String,
    /// An agent that `person` operates.
    claimed: Agent,
    thief: Agent,
    person: Person,
    stranger: Person,
    /// The attacker's unregistered wallet.
    fresh: Wallet,
    /// Wallets that nobody has registered.
    newcomer: Wallet,
    passerby: Wallet,
}

/// What an attacker attempts with a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Register,
    Recover,
    /// Link the attacker's wallet to the victim's profile, with the victim's signature.
    LinkToVictim,
    /// Link another wallet to the attacker's profile, with that wallet's signature.
    LinkToThief,
    Change,
    Claim,
    OperatorLogin,
}

const DEEDS: [Deed; 7] =
    [Deed::Register, Deed::Recover, Deed::LinkToVictim, Deed::LinkToThief, Deed::Change, Deed::Claim, Deed::OperatorLogin];

/// A purpose and its fields.
type Asked = (&'static str, Value);

impl Scene<'_> {
    async fn set(world: &World) -> Result<Scene<'_>, Failure> {
        let (victim, claimed, thief) = (world.agent().await?, world.agent().await?, world.agent().await?);
        let second = text(&victim.link_wallet(&Wallet::evm()).await?["wallet"], "id").to_owned();
        let person = Person::sign_up(&world.client, &format!("Person {}", unique_name())).await?;
        let stranger = Person::sign_up(&world.client, &format!("Person {}", unique_name())).await?;
        let fields = json!({ "profile_id": claimed.profile_id, "operator_id": person.profile_id });
        let proof = world.client.proof(&claimed.wallet, "claim_agent", &fields).await?;
        person.post(&format!("/agents/{}/claim", claimed.profile_id)).json(&proof).send().await?.ok(200);
        let (fresh, newcomer, passerby) = (Wallet::evm(), Wallet::evm(), Wallet::solana());
        Ok(Scene { world, victim, second, claimed, thief, person, stranger, fresh, newcomer, passerby })
    }

    /// The change that the attacker wants.
    fn change() -> Value {
        json!({ "status": "disabled" })
    }

    /// The wallet whose signature is required.
    fn signer(&self, deed: Deed) -> &Wallet {
        match deed {
            Deed::Register => &self.newcomer,
            Deed::LinkToThief => &self.passerby,
            Deed::OperatorLogin => &self.claimed.wallet,
            Deed::Recover | Deed::LinkToVictim | Deed::Change | Deed::Claim => &self.victim.wallet,
        }
    }

    /// The purpose that the signature must cover.
    fn asked(&self, deed: Deed) -> Asked {
        match deed {
            Deed::Register => ("register", json!({})),
            Deed::Recover => ("recover", json!({})),
            Deed::LinkToVictim => self.link(&self.victim, &self.fresh),
            Deed::LinkToThief => self.link(&self.thief, &self.passerby),
            Deed::Change => self.update(&self.victim, &self.second, Self::change()),
            Deed::Claim => ("claim_agent", operation(&self.victim, &self.person)),
            Deed::OperatorLogin => ("operator_login", operation(&self.claimed, &self.person)),
        }
    }

    fn link(&self, agent: &Agent, new: &Wallet) -> Asked {
        ("link_wallet", json!({ "profile_id": agent.profile_id, "new_wallet_address": new.address() }))
    }

    fn update(&self, agent: &Agent, wallet_id: &str, change: Value) -> Asked {
        ("update_wallet", json!({ "profile_id": agent.profile_id, "wallet_id": wallet_id, "change": change }))
    }

    /// Everything a wallet could be tricked into signing: each purpose, and each purpose with one field changed.
    fn lures(&self) -> Vec<Asked> {
        let first = text(&self.victim.issued["wallets"][0], "id");
        let mut lures: Vec<Asked> = DEEDS.iter().map(|deed| self.asked(*deed)).collect();
        lures.extend([
            // Another profile, another new wallet.
            self.link(&self.thief, &self.fresh),
            self.link(&self.claimed, &self.fresh),
            self.link(&self.victim, &Wallet::evm()),
            self.link(&self.victim, &self.passerby),
            self.link(&self.victim, &self.victim.wallet),
            // Another profile, another wallet, another change.
            self.update(&self.thief, &self.second, Self::change()),
            self.update(&self.victim, first, Self::change()),
            self.update(&self.victim, &self.second, json!({ "status": "active" })),
            self.update(&self.victim, &self.second, json!({ "status": "disabled", "default_for": [] })),
            self.update(&self.victim, &self.second, json!({ "capabilities": [] })),
            // Another agent, another operator.
            ("claim_agent", operation(&self.thief, &self.person)),
            ("claim_agent", operation(&self.claimed, &self.person)),
            ("claim_agent", operation(&self.victim, &self.stranger)),
            ("operator_login", operation(&self.victim, &self.person)),
            ("operator_login", operation(&self.claimed, &self.stranger)),
        ]);
        lures
    }

    /// Makes the attempt with this proof. Everything else is valid.
    async fn attempt(&self, deed: Deed, proof: &Value) -> Result<Reply, Failure> {
        let client = &self.world.client;
        let mut flat = proof.clone();
        flat["pow_nonce"] = proof.get("pow_nonce").cloned().unwrap_or_else(|| json!("0"));
        Ok(match deed {
            Deed::Register => {
                flat["display_name"] = "Lured".into();
                client.post("/register").json(&flat).send().await?
            }
            Deed::Recover => client.post("/auth/recover").json(&flat).send().await?,
            Deed::LinkToVictim | Deed::LinkToThief => {
                let (agent, own, member) = match deed {
                    Deed::LinkToVictim => (&self.victim, &self.fresh, "existing_wallet"),
                    _ => (&self.thief, &self.thief.wallet, "new_wallet"),
                };
                let (_, fields) = self.asked(deed);
                let own = client.proof(own, "link_wallet", &fields).await?;
                let mut body = json!({ "existing_wallet": own, "new_wallet": own });
                body[member] = proof.clone();
                agent.post("/me/wallets").json(&body).send().await?
            }
            Deed::Change => {
                let mut body = Self::change();
                body["proof"] = proof.clone();
                self.victim.patch(&format!("/me/wallets/{}", self.second)).json(&body).send().await?
            }
            Deed::Claim => {
                let path = format!("/agents/{}/claim", self.victim.profile_id);
                self.person.post(&path).json(proof).send().await?
            }
            Deed::OperatorLogin => {
                for (name, value) in operation(&self.claimed, &self.person).as_object().into_iter().flatten() {
                    flat[name] = value.clone();
                }
                client.from_page(http::Method::POST, "/auth/passkey/recover").json(&flat).send().await?
            }
        })
    }

    /// State that must not change.
    async fn state(&self) -> Result<Value, Failure> {
        let me = |agent: &Agent| agent.get("/me").send();
        let (victim, claimed, thief) = (me(&self.victim).await?, me(&self.claimed).await?, me(&self.thief).await?);
        let keys = self.victim.get("/api-keys").send().await?.ok(200)["api_keys"].as_array().map(Vec::len);
        let part = |reply: &Reply| json!([reply.ok(200)["profile"], reply.ok(200)["wallets"]]);
        Ok(json!([part(&victim), part(&claimed), part(&thief), keys]))
    }
}

/// The fields that name a person and an agent.
fn operation(agent: &Agent, person: &Person) -> Value {
    json!({ "profile_id": agent.profile_id, "operator_id": person.profile_id })
}

#[test]
fn a_signature_for_one_thing_is_refused_for_every_other() -> Outcome {
    shared(async |world| {
        let scene = Scene::set(world).await?;
        let before = scene.state().await?;
        let mut tried = 0;
        for deed in DEEDS {
            let (signer, right) = (scene.signer(deed), scene.asked(deed));
            for lure in scene.lures().into_iter().filter(|lure| *lure != right) {
                let proof = world.client.proof(signer, lure.0, &lure.1).await?;
                let reply = scene.attempt(deed, &proof).await?;
                assert_eq!((reply.status, reply.code()), (400, "CHALLENGE_INVALID"), "{deed:?} with {lure:?}: {}", reply.text());
                tried += 1;
            }
        }
        println!("{tried} lures refused");
        assert!(tried >= 140, "{tried}");
        assert_eq!(scene.state().await?, before);
        Ok(())
    })
}

#[test]
fn a_signature_for_another_domain_nonce_or_wallet_is_refused() -> Outcome {
    shared(async |world| {
        let scene = Scene::set(world).await?;
        let before = scene.state().await?;
        let host = world.client.origin().await?.split_once("://").map(|(_, host)| host.to_owned()).unwrap_or_default();
        for deed in DEEDS {
            let (signer, (purpose, fields)) = (scene.signer(deed), scene.asked(deed));
            let ask = || world.client.challenge(signer.address(), purpose, &fields);
            // What another site made the wallet sign, with this site's own nonce in it.
            for elsewhere in ["evil.example", &format!("{host}.evil.example"), &format!("evil.{host}"), "xn--crchet-6ua.example"] {
                let challenge = ask().await?;
                let lured = challenge.message.replace(&host, elsewhere);
                assert_ne!(lured, challenge.message);
                let mut proof = challenge.answer(signer);
                proof["signature"] = signer.sign(&lured).into();
                let reply = scene.attempt(deed, &proof).await?;
                assert_eq!((reply.status, reply.code()), (401, "SIGNATURE_INVALID"), "{deed:?}, {elsewhere}: {}", reply.text());
            }
            // The text of another deployment, whole, under the nonce that it has there.
            let challenge = ask().await?;
            let nonce = format!("{:0>32}", hex::encode(unique_name()));
            let nonce = &nonce[nonce.len() - 32..];
            let mut proof = challenge.answer(signer);
            proof["signature"] = signer.sign(&challenge.message.replace(&challenge.nonce, nonce)).into();
            proof["nonce"] = nonce.into();
            let reply = scene.attempt(deed, &proof).await?;
            assert_eq!((reply.status, reply.code()), (400, "CHALLENGE_INVALID"), "{deed:?}: {}", reply.text());
            // Another challenge's signature, word for word the same but for nonce and time.
            let (one, other) = (ask().await?, ask().await?);
            let mut proof = one.answer(signer);
            proof["signature"] = signer.sign(&other.message).into();
            let reply = scene.attempt(deed, &proof).await?;
            assert_eq!((reply.status, reply.code()), (401, "SIGNATURE_INVALID"), "{deed:?}: {}", reply.text());
            // The thief's signature in the wallet's name, and the thief's own challenge.
            let mut proof = ask().await?.answer(signer);
            let thief = if signer.chain() == crochet_tests::Chain::Evm { Wallet::evm() } else { Wallet::solana() };
            proof["signature"] = thief.sign(&ask().await?.message).into();
            let reply = scene.attempt(deed, &proof).await?;
            assert_eq!((reply.status, reply.code()), (401, "SIGNATURE_INVALID"), "{deed:?}: {}", reply.text());
            let stolen = world.client.challenge(Wallet::solana().address(), purpose, &fields).await?;
            let reply = scene.attempt(deed, &stolen.answer(signer)).await?;
            let lawful = deed == Deed::LinkToThief;
            // The new wallet may sign the text that another wallet asked for: it names both.
            assert!(lawful || reply.code() == "CHALLENGE_INVALID", "{deed:?}: {}", reply.text());
            if lawful {
                assert_eq!(reply.status, 201, "{}", reply.text());
            }
        }
        let mut after = scene.state().await?;
        if let Some(wallets) = after[2][1].as_array_mut() {
            wallets.truncate(1);
        }
        assert_eq!(after, before);
        Ok(())
    })
}

/// The attempts succeed with the right signature, so the table above is meaningful.
#[test]
fn the_right_signature_is_accepted_for_each_thing_once() -> Outcome {
    shared(async |world| {
        let scene = Scene::set(world).await?;
        for deed in DEEDS {
            let (purpose, fields) = scene.asked(deed);
            let proof = world.client.proof(scene.signer(deed), purpose, &fields).await?;
            let reply = scene.attempt(deed, &proof).await?;
            assert!(matches!(reply.status, 200 | 201), "{deed:?}: {}", reply.text());
            let again = scene.attempt(deed, &proof).await?;
            assert_eq!((again.status, again.code()), (400, "CHALLENGE_INVALID"), "{deed:?}: {}", again.text());
        }
        Ok(())
    })
}

#[test]
fn a_forged_host_changes_nothing_in_any_message_or_url() -> Outcome {
    shared(async |world| {
        let scene = Scene::set(world).await?;
        let origin = world.client.origin().await?;
        let host = origin.split_once("://").map(|(_, host)| host.to_owned()).unwrap_or_default();
        let forged = |request: crochet_tests::Request| {
            let names = ["host", "x-forwarded-host", "x-original-host", "x-host", "x-forwarded-server", "x-http-host-override"];
            let request = names.into_iter().fold(request, |request, name| request.header(name, "evil.example"));
            request.header("forwarded", "host=evil.example;proto=https").header("x-forwarded-proto", "gopher")
        };
        for deed in DEEDS {
            let (purpose, fields) = scene.asked(deed);
            let signer = scene.signer(deed);
            let mut body = json!({ "wallet_address": signer.address(), "purpose": purpose });
            for name in members(&fields) {
                body[name.as_str()] = fields[name.as_str()].clone();
            }
            let reply = forged(world.client.post("/auth/challenge").json(&body)).send().await?;
            let message = text(reply.ok(200), "message");
            assert!(!reply.text().contains("evil.example") && !reply.text().contains("gopher"), "{}", reply.text());
            assert!(message.starts_with(&format!("{host} wants you to sign in")), "{message}");
            assert!(message.contains(&format!("\nURI: {origin}\n")), "{message}");
        }
        let agent = &scene.victim;
        let requests = [
            agent.get("/me/wallets"),
            agent.get("/me/wallets/none"),
            agent.post("/me/wallets").json(&json!({})),
            agent.patch("/me/wallets").json(&json!({})),
            agent.patch(&format!("/me/wallets/{}", scene.second)).json(&json!({})),
            agent.get("/me"),
            world.client.get("/me"),
            world.client.get("/nowhere"),
            world.client.post("/register").json(&json!({})),
            world.client.post("/auth/recover").json(&json!({})),
        ];
        for request in requests {
            let reply = forged(request).send().await?;
            assert!(!reply.text().contains("evil.example") && !reply.text().contains("gopher"), "{}", reply.text());
            for value in reply.headers.values() {
                assert!(!value.to_str().unwrap_or_default().contains("evil.example"), "{value:?}");
            }
            if reply.status >= 400 {
                assert!(text(&reply.error()["recovery"], "reference_url").starts_with(&origin), "{}", reply.text());
            }
        }
        Ok(())
    })
}
