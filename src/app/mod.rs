//! Everything a request may need, built once from the configuration; tests build the same.

mod alerts;
mod authorities;
mod error;
mod limits;
mod nodes;
pub mod open_id;
mod outages;
mod post;
mod revocation;
mod settings;
mod signing_keys;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nodes::{Joining, Node};
use open_id::OpenIdProviders;
use post::Post;
use tokio::task::JoinHandle;

use crate::clock::{Clock, DAY_SECONDS, HOUR_SECONDS, Random};
use crate::config::{self, Config, DatabaseSource, SealingKeySource};
use crate::domain::change::ChangeSeq;
use crate::domain::environment::Environment;
use crate::domain::organization::Organization;
use crate::domain::signing_key::SigningTurns;
use crate::keys::{CursorSeal, KeyKeeper, KeyKeeperError, KeyRules, SealingKey, TokenType};
use crate::pki::trust_set::TrustSet;
use crate::registry::{Operator, PeopleRules, Registry, RegistryError, RegistryRules};
use crate::remote::ServerTokens;
use crate::remote::delegation_register::RemoteRegister;
use crate::remote::outbound::{OutboundRules, SystemNames};
use crate::store::{self, AuditSeal, Store};
use crate::telemetry::{Metrics, NodeMeasures};
use crate::token::access_token::TokenProfile;
use crate::token::agreed_clock::AgreedClock;
use crate::token::cache::Caches;
use crate::token::claims::GrantRules;
use crate::token::client_key::EnterpriseCertificates;
use crate::token::delegation::memory::RememberedRegister;
use crate::token::delegation::{
    DelegationRegisters, DelegationSource, KnownRegister, LocalRegister,
};
use crate::token::feed::Feed;
use crate::token::last_use::LastUses;
use crate::token::limit::RateLimit;
use crate::token::recorder::{KeepRules, Recorder};
use crate::token::refusal::Refusal;
use crate::token::replay::{Outage, Replay};
use crate::token::token_use::TokenUses;
use crate::token::{IssueRules, Issuer};

pub use error::AppError;
pub use limits::{Asker, Limits};
pub use nodes::{Reach, dead_seconds};
pub use revocation::{FetchStatus, ListFacts, ListStatus, RevocationLists};
pub use settings::Difference;

/// What a node is called that has its database for itself.
const ALONE: &str = "alone";

/// The server without its listeners.
pub struct App {
    /// Issues tokens.
    pub issuer: Issuer,
    /// Changes what tokens are issued by.
    pub registry: Registry,
    /// Who else says who somebody is.
    pub open_id: OpenIdProviders,
    /// Seals the cursors of lists.
    pub cursors: CursorSeal,
    /// Where the admin API is reached from outside, if the configuration says.
    pub admin_url: Option<String>,
    /// The folder that mails are written into and shown to everybody, where they are not sent: on a test server.
    pub outbox: Option<PathBuf>,
    /// Whether browsers reach the portal over TLS.
    pub portal_is_https: bool,
    /// The environment that this server is.
    pub environment: Arc<Environment>,
    /// Keeps what was refused, and why.
    pub recorder: Recorder,
    /// How often callers may ask.
    pub limits: Limits,
    /// Which revocation lists are in use, and how they are fetched.
    pub revocation_lists: RevocationLists,
    /// Counts and times.
    pub metrics: Metrics,
    /// Whether the server is on its way out and wants no new work.
    draining: AtomicBool,
    clock: Arc<AgreedClock>,
    /// The time between two looks at the change feed.
    poll: Duration,
    node: Option<Node>,
    _tasks: Tasks,
}

/// What runs beside requests. Dropped, it ends.
struct Tasks(Vec<JoinHandle<()>>);

impl App {
    /// Builds the server over a database that has every migration.
    pub async fn build(
        config: &Config,
        store: Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, AppError> {
        let pending = store.pending_migrations().await?.len();
        if pending > 0 {
            return Err(AppError::Migrations(pending));
        }
        // It takes much room, once; whoever waits for it need not have that on their stack.
        Box::pin(Self::put_together(config, store, clock, random)).await
    }

    async fn put_together(
        config: &Config,
        store: Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, AppError> {
        // Tokens are issued by the node's own clock, or not at all; everything else happens at the time agreed on.
        let own_clock = Arc::clone(&clock);
        let agreed = Arc::new(AgreedClock::new(clock));
        agreed.compare(&store).await?;
        let clock: Arc<dyn Clock> = Arc::<AgreedClock>::clone(&agreed);
        let sets = authorities::load_and_warn(config, clock.now())?;
        let rules = outbound_rules(config)?;
        let sealing_key = load_sealing_key(&config.sealing_key)?;
        // In boxes, because whoever builds a server would otherwise be as large as everything here that waits.
        let mut node = Box::pin(join_others(config, &store, &sets, &clock, &*random)).await?;
        let (seal, cursors) = (sealing_key.audit_seal(), sealing_key.cursor_seal());
        let secrets = sealing_key.secret_seal();
        let open_id_seal = secrets.clone();
        let its = key_rules(config);
        let keys = KeyKeeper::open(store.clone(), sealing_key, &*clock, &*random, its);
        let keys = Arc::new(Box::pin(keys).await?);
        let caches = Arc::new(Caches::new(store.clone()));
        let feed = Feed::open(
            store.clone(),
            Arc::clone(&caches),
            Arc::clone(&keys),
            Arc::clone(&agreed),
            config.feed.stale_max,
        );
        let feed = Arc::new(Box::pin(feed).await?);
        // From here on it may fail, and be tried again.
        let mut tasks = Tasks(vec![tokio::spawn(Arc::clone(&feed).follow(config.feed.poll))]);
        let mut metrics = Metrics::new();
        let counts = metrics.answer_counts();
        let (certificates, refresh) =
            revocation::with_responders(sets, config, &rules, &clock, &random, counts)?;
        show_others(node.as_mut(), config, &feed, &certificates, &clock);
        let registry = registry_alone(config, &store, &clock, &random, seal);
        let mut registry =
            registry.beside(Arc::clone(&feed), Arc::clone(&certificates)).keeping_secrets(secrets);
        registry = registry.with_signing_keys(Arc::clone(&keys));
        metrics.watch_trust(Arc::clone(&certificates), Arc::clone(&clock));
        let post = Post::prepare(config.mail.as_ref(), &store, &clock, metrics.mail_counts())?;
        if let Some(post) = &post {
            registry = registry.with_outbox(post.outbox.clone());
        }
        if let Some(operator) = load_operator(config)? {
            Box::pin(registry.first_start(&operator)).await?;
        }
        let name = node.as_ref().map_or(ALONE, Node::id);
        let replay = start_replay(config, &store, &clock, (&registry, name), &mut tasks);
        let open_id = OpenIdProviders::new(config, &rules, &clock, &random, open_id_seal, &replay)?;
        let recorder = Recorder::start(&store, Arc::clone(&clock), keep_rules(config.explain));
        let registers = delegation_registers(config, &rules, &caches, &keys, &random)?;
        let registers = DelegationRegisters::new(registers, Arc::clone(&clock));
        let counts = metrics.fetch_counts();
        let lists = RevocationLists::start(config, &rules, &certificates, &clock, &random, counts);
        let (revocation_lists, lists) = lists.await?;
        let authorities = authorities::follow(&certificates, config, &clock);
        let token_uses = TokenUses::start(&store, Arc::clone(&clock));
        let limits = Limits::new(config.limits, &clock);
        let requests = RateLimit::per_second(config.limits.token_requests_by_client, &clock);
        let issuer = Issuer {
            rules: issue_rules(config),
            clock: own_clock,
            random,
            caches,
            registers,
            feed,
            certificates,
            requests,
            replay,
            last_uses: LastUses::start(&store),
            token_uses,
            keys: keys.ring(),
        };
        tasks.0.extend(lists.into_iter().chain([tokio::spawn(authorities)]));
        tasks.0.extend(refresh.map(tokio::spawn));
        tasks.0.extend(post.map(|post| tokio::spawn(post.run())));
        tasks.0.push(tokio::spawn(alerts::run(registry.clone())));
        tasks.0.push(tokio::spawn(signing_keys::run(registry.clone())));
        let portal_is_https = is_https(config);
        let environment = Arc::new(config.environment.clone());
        Ok(Self {
            issuer,
            registry,
            open_id,
            cursors,
            admin_url: config.admin_url.clone(),
            portal_is_https,
            environment,
            outbox: post::folder(config.mail.as_ref()),
            recorder,
            limits,
            revocation_lists,
            metrics,
            draining: AtomicBool::new(false),
            clock: agreed,
            poll: config.feed.poll,
            node,
            _tasks: tasks,
        })
    }

    /// Whether the server takes new work: it is not on its way out, and what it has cached is right.
    pub fn ready(&self) -> Result<(), String> {
        if self.is_draining() {
            return Err("stopping".to_owned());
        }
        let now = self.issuer.clock.now();
        let contact = self.issuer.feed.require_contact(now, self.poll);
        contact.or_else(|refusal| {
            let outage_max = self.issuer.rules.outage_max;
            let goes_on =
                !outage_max.is_zero() && self.issuer.feed.freshness(now, outage_max).is_ok();
            if goes_on { Ok(()) } else { Err(as_text(refusal)) }
        })
    }

    /// What is amiss although the server takes work: the database is away, and only scopes that allow it are issued.
    pub fn outage(&self) -> Option<String> {
        if let Some(outage) = self.outage_under_way() {
            return Some(format!(
                "the database has been away since {}; {} tokens have been issued without it, for scopes that allow it",
                outage.since, outage.spent
            ));
        }
        let contact = self.issuer.feed.require_contact(self.issuer.clock.now(), self.poll);
        contact.err().filter(|_| self.ready().is_ok()).map(as_text)
    }

    fn outage_under_way(&self) -> Option<Outage> {
        self.issuer.replay.outage().filter(|outage| outage.until.is_none())
    }

    /// A setting that another node has otherwise, if there is one.
    pub fn differing_setting(&self) -> Option<Difference> {
        self.node.as_ref().and_then(Node::difference)
    }

    /// On how many nodes a change holds.
    pub async fn reach(&self, seq: ChangeSeq) -> Result<Reach, RegistryError> {
        if let Some(node) = &self.node {
            return Ok(node.reach(seq, self.issuer.feed.applied()).await?);
        }
        Ok(Reach { nodes: 1, behind: usize::from(self.issuer.feed.applied() < seq) })
    }

    /// Whether the server is on its way out.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Announces that the server is on its way out.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Writes what is still to be written, when the last request has been answered.
    pub async fn finish(&self) {
        // One after the other, because the database lets one write at a time.
        self.recorder.finish().await;
        self.issuer.token_uses.finish().await;
        self.issuer.last_uses.finish().await;
        if let Some(node) = &self.node
            && let Err(error) = node.leave().await
        {
            tracing::warn!(%error, "the other nodes could not be told that this one has stopped");
        }
    }

    /// Puts how the server and its revocation lists are into the metrics.
    pub fn measure(&self) {
        let node = NodeMeasures {
            is_ready: self.ready().is_ok(),
            clock_apart_seconds: self.clock.apart(),
            has_differing_setting: self.differing_setting().is_some(),
            outage_seconds: self.outage_under_way().map_or(0, |outage| {
                self.issuer.clock.now().seconds().saturating_sub(outage.since.seconds())
            }),
            outage_tokens: self.issuer.replay.outage().map_or(0, |outage| outage.spent),
        };
        self.metrics.measure_node(node);
        self.metrics.measure_lists(self.revocation_lists.status().iter().map(ListStatus::measures));
    }

    /// Time since the server began, for durations.
    pub fn uptime(&self) -> Duration {
        self.issuer.clock.uptime()
    }
}

fn as_text(refusal: Refusal) -> String {
    match refusal {
        Refusal::Unavailable { cause } => cause,
        other => format!("{other:?}"),
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// Joins the nodes that are running on the database.
async fn join_others(
    config: &Config,
    store: &Store,
    sets: &[TrustSet],
    clock: &Arc<dyn Clock>,
    random: &dyn Random,
) -> Result<Option<Node>, AppError> {
    let joining = Joining {
        issuer: &config.issuer,
        settings: settings::shared(config, sets.iter(), clock.now()),
        differing: config.differing_settings,
        dead_seconds: dead_seconds(config),
    };
    Node::join(store, joining, Arc::clone(clock), random).await
}

/// The control plane, with nobody to tell of its changes yet.
fn registry_alone(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
    seal: AuditSeal,
) -> Registry {
    let (clock, random) = (Arc::clone(clock), Arc::clone(random));
    Registry::alone(store.clone(), clock, random, seal, registry_rules(config))
}

/// The register of spent assertions; and what the node of that name spends in an outage is told to the trail.
fn start_replay(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
    (registry, node): (&Registry, &str),
    tasks: &mut Tasks,
) -> Replay {
    let (skew, outage_max) = (config.token.clock_skew_seconds, config.outage.issue);
    let (replay, writer) = Replay::start(store, Arc::clone(clock), skew, outage_max);
    let told = outages::run(registry.clone(), replay.watch_outage(), node.to_owned());
    tasks.0.extend([writer, tokio::spawn(told)]);
    replay
}

/// Shows the node, if it is one, to the others from now on, as it is each time.
fn show_others(
    node: Option<&mut Node>,
    config: &Config,
    feed: &Feed,
    certificates: &Arc<EnterpriseCertificates>,
    clock: &Arc<dyn Clock>,
) {
    let Some(node) = node else { return };
    let (config, sets, clock) = (config.clone(), Arc::clone(certificates), Arc::clone(clock));
    node.show(feed, move || settings::shared(&config, sets.sets().iter(), clock.now()));
}

/// Opens the database that the configuration names. Migrations are not applied.
pub async fn open_store(database: &DatabaseSource) -> Result<Store, AppError> {
    Ok(match database {
        DatabaseSource::File(file) => Store::open(file).await?,
        DatabaseSource::UrlFile(_) | DatabaseSource::Url(_) => {
            Store::connect(&database_url(database)?.unwrap_or_default()).await?
        }
    })
}

/// The URL of the database, if it has one.
fn database_url(database: &DatabaseSource) -> Result<Option<String>, AppError> {
    match database {
        DatabaseSource::File(_) => Ok(None),
        DatabaseSource::Url(url) => Ok(Some(url.clone())),
        DatabaseSource::UrlFile(file) => {
            first_line(file, "URL of a database").map(Some).map_err(AppError::DatabaseUrl)
        }
    }
}

/// Reads every file that the configuration names, to see whether the server could be built from them.
///
/// What is no reason not to start, and will refuse good clients, comes back as text.
pub fn check_files(config: &Config, clock: &dyn Clock) -> Result<Vec<String>, AppError> {
    if let Some(url) = database_url(&config.database)? {
        store::check_url(&url)?;
    }
    let now = clock.now();
    let sets = authorities::load(config, now)?;
    let warnings = sets.iter().flat_map(|set| {
        let name = set.name().to_owned();
        set.warnings(now).into_iter().map(move |warning| format!("trust set {name}: {warning}"))
    });
    let warnings = warnings.collect();
    load_operator(config)?;
    let rules = outbound_rules(config)?;
    for register in &config.delegation_registers {
        remote_register(register, None, &rules)?;
    }
    config.mail.as_ref().map(post::mailer).transpose()?;
    load_sealing_key(&config.sealing_key)?;
    Ok(warnings)
}

/// Who runs the server, with the public key of their client.
pub fn load_operator(config: &Config) -> Result<Option<Operator>, AppError> {
    let Some(operator) = &config.operator else { return Ok(None) };
    let client = match &operator.client {
        Some((id, file)) => {
            let jwk = String::from_utf8(read(file)?).unwrap_or_default();
            Some((id.clone(), jwk))
        }
        None => None,
    };
    let organization = Organization::new(operator.organization, &operator.name);
    Ok(Some(Operator { organization, client }))
}

fn key_rules(config: &Config) -> KeyRules {
    let signing = config.signing;
    KeyRules {
        turns: SigningTurns {
            algorithm: config.token.signing_algorithm,
            announce_seconds: i64::from(signing.announce_hours) * HOUR_SECONDS,
            rotate_seconds: signing.rotate_days.map(|days| i64::from(days) * DAY_SECONDS),
            token_seconds_max: i64::from(config.token.lifetime_seconds_max),
        },
        rsa_bits: config.token.rsa_key_bits,
        token_type: match config.token.profile {
            config::TokenProfile::Maskinporten => TokenType::Unsaid,
            config::TokenProfile::Rfc9068 => TokenType::AccessToken,
        },
    }
}

fn keep_rules(explain: config::Explain) -> KeepRules {
    KeepRules {
        retention_seconds: i64::from(explain.retention_days) * DAY_SECONDS,
        records_max: explain.records_max,
    }
}

fn issue_rules(config: &Config) -> IssueRules {
    IssueRules {
        grant: GrantRules {
            issuer: config.issuer.clone(),
            lifetime_seconds_max: config.token.assertion_lifetime_seconds_max,
            clock_skew_seconds: config.token.clock_skew_seconds,
        },
        lifetime_seconds_max: config.token.lifetime_seconds_max,
        profile: match config.token.profile {
            config::TokenProfile::Maskinporten => TokenProfile::Maskinporten,
            config::TokenProfile::Rfc9068 => TokenProfile::Rfc9068,
        },
        outage_max: config.outage.issue,
    }
}

/// What the operator has decided about everything that can be registered.
pub fn registry_rules(config: &Config) -> RegistryRules {
    let mut rules = RegistryRules::new(&config.issuer, config.token.lifetime_seconds_max);
    let configured = config.delegation_registers.iter();
    rules.delegation_sources.extend(configured.map(|register| DelegationSource {
        issuer: register.issuer.clone(),
        name: register.name.clone(),
    }));
    rules.people = people_rules(config);
    rules
}

fn people_rules(config: &Config) -> PeopleRules {
    let portal = config.portal;
    PeopleRules {
        environment: config.environment.clone(),
        operator: config.operator.as_ref().map(|operator| operator.organization),
        portal_url: portal_url(config),
        sign_in: portal.sign_in,
        idle_seconds: portal.idle_seconds,
        session_seconds: portal.session_seconds,
        password_characters_min: usize::try_from(portal.password_characters_min)
            .unwrap_or(usize::MAX),
        attempts_free: portal.attempts_free,
        wait_seconds: portal.wait_seconds,
        wait_seconds_max: portal.wait_seconds_max,
    }
}

/// Where people reach the portal: as the configuration says, or else at the listener.
fn portal_url(config: &Config) -> String {
    config.admin_url.clone().unwrap_or_else(|| {
        let scheme = if config.admin_listener.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/", config.admin_listener.address)
    })
}

/// Whether browsers reach the portal over TLS: as the configuration says, or else when the listener speaks it.
fn is_https(config: &Config) -> bool {
    match config.admin_url.as_deref() {
        Some(url) => url.starts_with("https://"),
        None => config.admin_listener.tls.is_some(),
    }
}

/// What people are told that the register of this server is called.
const LOCAL_REGISTER_NAME: &str = "Portvakt";

/// Every register of delegations that scopes may name, our own first.
fn delegation_registers(
    config: &Config,
    rules: &OutboundRules,
    caches: &Arc<Caches>,
    keys: &KeyKeeper,
    random: &Arc<dyn Random>,
) -> Result<Vec<KnownRegister>, AppError> {
    let mut registers = vec![local_register(config, caches)];
    for register in &config.delegation_registers {
        let tokens = register.token_scope.as_ref().map(|scope| ServerTokens {
            issuer: config.issuer.clone(),
            audience: register.issuer.clone(),
            scope: scope.clone(),
            keys: keys.ring(),
            random: Arc::clone(random),
        });
        registers.push(remote_register(register, tokens, rules)?);
    }
    Ok(registers)
}

fn local_register(config: &Config, caches: &Arc<Caches>) -> KnownRegister {
    let issuer = config.issuer.clone();
    let register = LocalRegister::new(issuer.clone(), Arc::clone(caches));
    (DelegationSource { issuer, name: LOCAL_REGISTER_NAME.to_owned() }, Box::new(register))
}

fn remote_register(
    register: &config::DelegationRegister,
    tokens: Option<ServerTokens>,
    rules: &OutboundRules,
) -> Result<KnownRegister, AppError> {
    let name = register.section.clone();
    let remote = RemoteRegister::new(name.clone(), register.url.clone(), tokens, rules)
        .map_err(|problem| AppError::DelegationRegister { name: name.clone(), problem })?;
    let (time_max, cache_time) = (register.time_max, register.cache_time);
    let remembered = RememberedRegister::new(remote, name, time_max, cache_time);
    let source = DelegationSource { issuer: register.issuer.clone(), name: register.name.clone() };
    Ok((source, Box::new(remembered)))
}

/// The sealing key that the configuration names.
pub fn load_sealing_key(source: &SealingKeySource) -> Result<SealingKey, AppError> {
    let text = match source {
        SealingKeySource::File(file) => {
            read(file).map(|bytes| String::from_utf8(bytes).unwrap_or_default())?
        }
        SealingKeySource::Text(text) => text.clone(),
    };
    let key = SealingKey::from_base64(&text);
    key.map_err(|error| AppError::Keys(KeyKeeperError::Key(error)))
}

/// What holds for everything that goes out.
fn outbound_rules(config: &Config) -> Result<OutboundRules, AppError> {
    let files = config.outbound.tls_authorities.iter();
    Ok(OutboundRules {
        reach: config.outbound.reach.clone(),
        authorities_pem: files.map(read).collect::<Result<_, _>>()?,
        names: Arc::new(SystemNames),
    })
}

/// The first line of a file with a secret, which is `what`.
fn first_line(file: &Path, what: &str) -> Result<String, String> {
    let text = read(file).map_err(|error| error.to_string())?;
    let text = String::from_utf8(text).unwrap_or_default();
    let line = text.lines().next().filter(|line| !line.is_empty()).map(ToOwned::to_owned);
    line.ok_or_else(|| format!("{} has no {what} in its first line", file.display()))
}

fn read(file: impl Into<PathBuf>) -> Result<Vec<u8>, AppError> {
    let file = file.into();
    std::fs::read(&file).map_err(|problem| AppError::File { file, problem })
}
