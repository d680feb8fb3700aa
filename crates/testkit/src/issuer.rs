//! A stand-in for the identity provider of a CI system on loopback: a discovery document, keys that can be rotated, tokens
//! of any claims, forged ones too, and the address at which a job asks for its token, as GitHub Actions has it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::Sha256;

/// A key for tests: the first that the issuer signs with.
const RSA_KEY: &[u8] = include_bytes!("../testdata/issuer-rsa.pk8");

/// What a job shows to be given its token.
pub const JOB_SECRET: &str = "job-secret";

/// What signs at the moment.
enum Key {
    /// RS256, as CI systems sign.
    Rsa(RsaKeyPair),
    /// ES256, after a rotation.
    Ec { id: String, pair: EcdsaKeyPair },
}

struct State {
    key: Mutex<Arc<Key>>,
    /// What the discovery document says, if it is to be another issuer.
    pretends: Mutex<Option<String>>,
    down: AtomicBool,
    asked_for_keys: AtomicUsize,
    made: AtomicUsize,
}

/// A running issuer. It answers until the test ends.
pub struct Issuer {
    address: SocketAddr,
    state: Arc<State>,
}

impl Issuer {
    /// With one RSA key.
    ///
    /// # Panics
    /// If no port can be had.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let key = RsaKeyPair::from_pkcs8(RSA_KEY).expect("an RSA key");
        let state = Arc::new(State {
            key: Mutex::new(Arc::new(Key::Rsa(key))),
            pretends: Mutex::default(),
            down: AtomicBool::new(false),
            asked_for_keys: AtomicUsize::new(0),
            made: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let issuer = Self { address, state: Arc::clone(&shared) };
                std::thread::spawn(move || issuer.serve(&stream));
            }
        });
        Self { address, state }
    }

    /// `http://127.0.0.1:PORT`, which its tokens say as `iss`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What providers and condition keys are called after: the URL without its scheme.
    #[must_use]
    pub fn name(&self) -> String {
        self.address.to_string()
    }

    /// What stands in `larder.toml` so that this issuer is asked, although it is on this machine.
    #[must_use]
    pub fn configuration(&self) -> String {
        format!("[web-identity]\ninternal-issuers = [\"{}\"]\n", self.url())
    }

    /// The claims of a token that is good for an hour, each with an id of its own. What is given is added or replaces them.
    ///
    /// # Panics
    /// If what is given is no object.
    #[must_use]
    pub fn claims(&self, given: &Value) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
        let mut claims = json!({
            "iss": self.url(),
            "sub": "repo:octo/app:ref:refs/heads/main",
            "aud": "larder",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "jti": format!("token-{}", self.state.made.fetch_add(1, Ordering::SeqCst)),
            "repository": "octo/app",
            "ref": "refs/heads/main",
        });
        for (name, value) in given.as_object().expect("claims") {
            claims[name] = value.clone();
        }
        claims
    }

    /// A token of [`Issuer::claims`], signed with the present key.
    #[must_use]
    pub fn token(&self, given: &Value) -> String {
        let (header, key) = self.state.header();
        self.state.sign(&key, &header, &self.claims(given))
    }

    /// A token with members of its header changed, signed with the present key all the same.
    #[must_use]
    pub fn token_with_header(&self, given: &Value, header: &Value) -> String {
        let (mut changed, key) = self.state.header();
        for (name, value) in header.as_object().into_iter().flatten() {
            changed[name] = value.clone();
        }
        self.state.sign(&key, &changed, &self.claims(given))
    }

    /// A token that is signed with a keyed hash, the issuer's public modulus as its secret: what a verifier falls for that
    /// lets a token choose its algorithm.
    #[must_use]
    pub fn confused_token(&self) -> String {
        let (mut header, key) = self.state.header();
        header["alg"] = "HS256".into();
        let secret = match &*key {
            Key::Rsa(pair) => PublicKeyComponents::<Vec<u8>>::from(pair.public()).n,
            Key::Ec { pair, .. } => pair.public_key().as_ref().to_vec(),
        };
        let signed = signed_part(&header, &self.claims(&json!({})));
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret).expect("any length");
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    /// From now on signs with another key, of another kind, and publishes only that one.
    ///
    /// # Panics
    /// If no key can be made.
    pub fn rotate(&self) {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).expect("the key");
        let id = format!("ec-{}", self.state.made.fetch_add(1, Ordering::SeqCst));
        *self.state.key.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(Key::Ec { id, pair });
    }

    /// Its discovery document says another issuer.
    pub fn pretend(&self, issuer: Option<&str>) {
        *self.state.pretends.lock().unwrap_or_else(PoisonError::into_inner) = issuer.map(str::to_owned);
    }

    /// Closes every connection without an answer, or answers again.
    pub fn set_down(&self, down: bool) {
        self.state.down.store(down, Ordering::SeqCst);
    }

    /// How often its keys were asked for.
    #[must_use]
    pub fn asked_for_keys(&self) -> usize {
        self.state.asked_for_keys.load(Ordering::SeqCst)
    }

    /// Where a job asks for its token: `&audience=…` is added, [`JOB_SECRET`] shown as bearer.
    #[must_use]
    pub fn job_url(&self) -> String {
        format!("{}/job?api-version=2.0", self.url())
    }

    /// One request on a connection.
    fn serve(&self, stream: &TcpStream) {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
        let Some(request) = lines.next() else { return };
        let bearer = format!("bearer {JOB_SECRET}");
        let shows_secret = lines.any(|line| {
            line.split_once(':').is_some_and(|(name, value)| {
                name.eq_ignore_ascii_case("authorization") && value.trim().eq_ignore_ascii_case(&bearer)
            })
        });
        if self.state.down.load(Ordering::SeqCst) {
            return;
        }
        let target = request.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let answer = match path {
            "/.well-known/openid-configuration" => {
                let pretends = self.state.pretends.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let issuer = pretends.unwrap_or_else(|| self.url());
                Some(json!({"issuer": issuer, "jwks_uri": format!("{}/keys", self.url())}))
            }
            "/keys" => {
                self.state.asked_for_keys.fetch_add(1, Ordering::SeqCst);
                Some(self.state.keys())
            }
            "/job" if shows_secret => {
                let audience = query.split('&').find_map(|pair| pair.strip_prefix("audience=")).unwrap_or("");
                Some(json!({"value": self.token(&json!({"aud": audience}))}))
            }
            _ => None,
        };
        let (status, body) = match answer {
            Some(body) => ("200 OK", body.to_string()),
            None => ("404 Not Found", String::new()),
        };
        let length = body.len();
        let mut stream = stream;
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
    }
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl State {
    fn key(&self) -> Arc<Key> {
        Arc::clone(&self.key.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn header(&self) -> (Value, Arc<Key>) {
        let key = self.key();
        let (alg, kid) = match &*key {
            Key::Rsa(_) => ("RS256", "rsa-1"),
            Key::Ec { id, .. } => ("ES256", id.as_str()),
        };
        (json!({"typ": "JWT", "alg": alg, "kid": kid}), key)
    }

    fn sign(&self, key: &Key, header: &Value, claims: &Value) -> String {
        let signed = signed_part(header, claims);
        let random = SystemRandom::new();
        let signature = match key {
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).expect("a signature");
                signature
            }
            Key::Ec { pair, .. } => pair.sign(&random, signed.as_bytes()).expect("a signature").as_ref().to_vec(),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The JWK set.
    fn keys(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let key = match &*self.key() {
            Key::Rsa(pair) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "kid": "rsa-1", "use": "sig", "alg": "RS256", "n": encode(&n), "e": encode(&e)})
            }
            Key::Ec { id, pair } => {
                // An uncompressed point: 4, x, y.
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "kid": id, "use": "sig", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
        };
        json!({"keys": [key]})
    }
}

fn signed_part(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}
