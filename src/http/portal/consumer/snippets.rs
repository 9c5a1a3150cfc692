//! Code that fetches a token, filled in for one client: each for a library that people use, and with the private
//! key read from a file.
//!
//! The code itself is in `templates/consumer/snippets/`. Everything that is filled in is of a kind that needs no
//! escaping in any of these languages: identifiers, scope names, algorithms and the server's own addresses.

use askama::Template;

use crate::app::App;
use crate::domain::algorithm::Algorithm;

/// Where this server's things are, as platforms want to be told.
pub(super) struct Endpoints {
    pub(super) issuer: String,
    pub(super) token: String,
    pub(super) well_known: String,
    pub(super) jwks: String,
}

impl Endpoints {
    pub(super) fn of(app: &App) -> Self {
        let issuer = app.issuer.rules.grant.issuer.clone();
        Self {
            token: format!("{issuer}token"),
            well_known: format!("{issuer}.well-known/oauth-authorization-server"),
            jwks: format!("{issuer}jwk"),
            issuer,
        }
    }
}

/// How a client signs.
pub(super) struct Signing {
    /// The registered key; without one the enterprise certificate.
    pub(super) kid: Option<String>,
    /// The algorithm.
    pub(super) algorithm: Algorithm,
}

/// What a piece of code is filled in with.
pub(super) struct Filling<'a> {
    pub(super) client_id: &'a str,
    pub(super) scopes: &'a str,
    /// The customer for whom the token is asked for.
    pub(super) consumer_org: Option<&'a str>,
    pub(super) endpoints: &'a Endpoints,
    pub(super) signing: &'a Signing,
}

/// A piece of code.
pub(super) struct Snippet {
    /// A word for its element.
    pub(super) id: &'static str,
    /// What people call it.
    pub(super) name: &'static str,
    /// The library that it is for, or the file that it goes into.
    pub(super) library: &'static str,
    /// The code; `None` when the library cannot sign with the algorithm.
    pub(super) code: Option<String>,
}

/// Declares the templates of the code.
macro_rules! templates {
    ($($name:ident $file:literal)*) => {
        $(
            #[derive(Template)]
            #[template(
                path = $file,
                escape = "none",
                config = ".askama.toml",
                whitespace = "preserve"
            )]
            struct $name<'a> {
                it: &'a Filling<'a>,
            }
        )*
    };
}

templates! {
    Altinn "consumer/snippets/altinn.txt"
    CSharp "consumer/snippets/csharp.txt"
    Curl "consumer/snippets/curl.txt"
    Go "consumer/snippets/go.txt"
    Java "consumer/snippets/java.txt"
    Kotlin "consumer/snippets/kotlin.txt"
    Nais "consumer/snippets/nais.txt"
    Node "consumer/snippets/node.txt"
    Python "consumer/snippets/python.txt"
    Rust "consumer/snippets/rust.txt"
}

/// Every piece of code, in the order in which they are shown.
pub(super) fn all(it: &Filling<'_>) -> Vec<Snippet> {
    let snippet = |id, name, library, code: Result<String, askama::Error>| {
        let code = code.inspect_err(|error| tracing::error!(%error, id, "no snippet")).ok();
        Snippet { id, name, library, code }
    };
    let with_key = it.signing.kid.is_some();
    let mut snippets = vec![
        snippet("curl", "curl", "bash, openssl, curl", Curl { it }.render()),
        snippet("java", "Java", "Nimbus JOSE+JWT", Java { it }.render()),
        snippet("kotlin", "Kotlin", "Nimbus JOSE+JWT", Kotlin { it }.render()),
        Snippet {
            code: CSharp { it }.render().ok().filter(|_| !it.is_ed25519()),
            ..snippet("csharp", "C#", "Microsoft.IdentityModel.JsonWebTokens", Ok(String::new()))
        },
        snippet("python", "Python", "PyJWT, Requests", Python { it }.render()),
        snippet("node", "Node", "jose", Node { it }.render()),
        snippet("go", "Go", "golang-jwt", Go { it }.render()),
        snippet("rust", "Rust", "jsonwebtoken, reqwest", Rust { it }.render()),
    ];
    if with_key {
        // The platforms make the assertion themselves, from a registered key.
        snippets.push(snippet("nais", "nais", "kubectl", Nais { it }.render()));
        snippets.push(snippet("altinn", "Altinn", "appsettings", Altinn { it }.render()));
    }
    snippets
}

impl Filling<'_> {
    fn alg(&self) -> &'static str {
        self.signing.algorithm.name()
    }

    /// The number of bits of the hash.
    fn bits(&self) -> &'static str {
        self.alg().get(2..).unwrap_or_default()
    }

    fn is_ecdsa(&self) -> bool {
        matches!(self.signing.algorithm, Algorithm::Es256 | Algorithm::Es384)
    }

    fn is_ed25519(&self) -> bool {
        self.signing.algorithm == Algorithm::EdDsa
    }

    fn is_pss(&self) -> bool {
        self.alg().starts_with("PS")
    }

    /// Hexadecimal digits of each of the two numbers of an ECDSA signature (RFC 7518 section 3.4).
    fn half(&self) -> usize {
        if self.signing.algorithm == Algorithm::Es384 { 96 } else { 64 }
    }

    /// The kind of key, as functions of libraries are named.
    fn kind(&self) -> &'static str {
        if self.is_ed25519() {
            "ed"
        } else if self.is_ecdsa() {
            "ec"
        } else {
            "rsa"
        }
    }

    /// The name of a Kubernetes object: lower-case letters, digits and hyphens.
    fn secret_name(&self) -> String {
        let id = self.client_id.to_lowercase();
        let id = id.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        format!("maskinporten-{}", id.trim_matches('-'))
    }

    fn go_parse(&self) -> &'static str {
        match self.kind() {
            "ed" => "ParseEdPrivateKeyFromPEM",
            "ec" => "ParseECPrivateKeyFromPEM",
            _ => "ParseRSAPrivateKeyFromPEM",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(kid: Option<&str>, algorithm: Algorithm) -> Vec<Snippet> {
        filled_for(None, kid, algorithm)
    }

    fn filled_for(
        consumer_org: Option<&str>,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Vec<Snippet> {
        let endpoints = Endpoints {
            issuer: "https://as.example/".to_owned(),
            token: "https://as.example/token".to_owned(),
            well_known: "https://as.example/.well-known/oauth-authorization-server".to_owned(),
            jwks: "https://as.example/jwk".to_owned(),
        };
        let signing = Signing { kid: kid.map(str::to_owned), algorithm };
        let filling = Filling {
            client_id: "client-1",
            scopes: "a:b c:d/e",
            consumer_org,
            endpoints: &endpoints,
            signing: &signing,
        };
        all(&filling)
    }

    #[test]
    fn code_for_a_customer_says_for_whom_it_asks_and_other_code_does_not() {
        for snippet in filled_for(Some("310000116"), Some("kid-1"), Algorithm::Es256) {
            let code = snippet.code.unwrap();
            assert!(code.contains("310000116"), "{}: {code}", snippet.id);
        }
        for snippet in filled(Some("kid-1"), Algorithm::Es256) {
            assert!(!snippet.code.unwrap().contains("consumer_org"), "{}", snippet.id);
        }
    }

    #[test]
    fn every_snippet_names_the_client_and_reads_its_key_from_a_file() {
        for kid in [Some("kid-1"), None] {
            for alg in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es384, Algorithm::EdDsa] {
                for snippet in filled(kid, alg) {
                    let Some(code) = snippet.code else {
                        assert_eq!((snippet.id, alg), ("csharp", Algorithm::EdDsa));
                        continue;
                    };
                    assert!(code.contains("client-1"), "{}: {code}", snippet.id);
                    let names_file = ["private-key.", "keystore.p12"];
                    assert!(
                        names_file.iter().any(|it| code.contains(it)),
                        "{}: {code}",
                        snippet.id
                    );
                    assert!(!code.contains("BEGIN PRIVATE"), "{}: {code}", snippet.id);
                    let kid_is_named = code.contains("kid-1");
                    let brings_its_own = ["nais", "altinn"].contains(&snippet.id);
                    assert!(
                        brings_its_own || kid_is_named == kid.is_some(),
                        "{}: {code}",
                        snippet.id
                    );
                    if !["nais", "altinn"].contains(&snippet.id) {
                        assert!(
                            code.contains("https://as.example/token"),
                            "{}: {code}",
                            snippet.id
                        );
                    }
                }
            }
        }
    }
}
