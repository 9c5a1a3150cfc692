//! Group J: what the server asks of other servers, and what those can do to it. Beside it the faults R36 and R37.
//!
//! | Attack | Where |
//! |-|-|
//! | J01 addresses in certificates that nobody has verified | `lists` |
//! | J02 addresses that are not public, in every disguise | `client` |
//! | J03 other schemes | `client` |
//! | J04 a name that means something else the second time | `client` |
//! | J05 redirects | `client`, and from TLS to none in `tls` |
//! | J06 answers that are too large, too slow, compressed, cut off, or something else | `client`, `lists` |
//! | J07 addresses that have to be mended, and ports of other services | `client` |
//! | J08, J09, J10 key sets of clients (`jwks_uri`) | do not apply: clients register keys, none are fetched |
//! | J11 TLS | `tls`; that a TLS certificate has been revoked is not noticed: nobody publishes it where it would be seen in time |
//! | J12 OCSP addresses of leaves | `responders` |
//! | J13 a host that is down for a day | `lists` |
//! | J14 proxies of the environment | `client` |

mod client;
mod host;
mod kept_answers;
mod lists;
mod load;
mod responder;
mod responders;
mod statuses;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use portvakt::domain::network::Reach;
use portvakt::domain::remote_url::RemoteUrl;
use portvakt::remote::outbound::{Names, OutboundRules};
use portvakt::remote::revocation_list::{Fetched, ListFetcher, Validators};

/// The most that is read in these tests, in bytes.
const BYTES_MAX: usize = 256 * 1024;

/// The longest that is waited in these tests.
const TIME_MAX: Duration = Duration::from_secs(2);

/// What holds in a test: these networks may be asked, and names mean what `names` says.
fn rules(networks: &[&str], names: Arc<dyn Names>) -> OutboundRules {
    let networks = networks.iter().map(|it| it.parse().unwrap()).collect();
    OutboundRules { reach: Reach::with(networks), authorities_pem: Vec::new(), names }
}

/// What comes of fetching from `address`, whatever it is; only its host is registered.
async fn fetch(rules: &OutboundRules, address: &str) -> Result<Vec<u8>, String> {
    let url: RemoteUrl = address.parse().map_err(|error| format!("{error}"))?;
    let fetcher = ListFetcher::new(rules, std::slice::from_ref(&url), BYTES_MAX, TIME_MAX)?;
    match fetcher.fetch(&url, &Validators::default()).await? {
        Fetched::List { bytes, .. } => Ok(bytes),
        Fetched::Unchanged => Err("unchanged, though nothing was known".to_owned()),
    }
}
