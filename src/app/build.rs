//! How the server is put together.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::task::JoinHandle;

use crate::app::nodes::{Joining, Node, dead_seconds};
use crate::app::open_id::OpenIdProviders;
use crate::app::post::Post;
use crate::app::registers::delegation_registers;
use crate::app::rules::{
    is_https, issue_rules, keep_rules, key_rules, outage_max, outbound_rules, registry_rules,
};
use crate::app::{
    App, AppError, Limits, RevocationLists, Tasks, alerts, authorities, checkpoints, load_operator,
    load_sealing_key, outages, post, revocation, settings, signing_keys,
};
use crate::clock::{Clock, Random};
use crate::config::Config;
use crate::keys::KeyKeeper;
use crate::pki::trust_set::TrustSet;
use crate::registry::Registry;
use crate::store::{AuditSeal, Store};
use crate::telemetry::Metrics;
use crate::token::Issuer;
use crate::token::agreed_clock::AgreedClock;
use crate::token::cache::Caches;
use crate::token::client_key::EnterpriseCertificates;
use crate::token::delegation::DelegationRegisters;
use crate::token::feed::Feed;
use crate::token::last_use::LastUses;
use crate::token::limit::RateLimit;
use crate::token::recorder::Recorder;
use crate::token::replay::Replay;
use crate::token::token_use::TokenUses;

/// What a node is called that has its database for itself.
const ALONE: &str = "alone";

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
        let mut joined = None;
        // It takes much room, once; whoever waits for it need not have that on their stack.
        let building = Self::put_together(config, store.clone(), clock, random, &mut joined);
        let built = Box::pin(building).await;
        if let (Err(_), Some(id)) = (&built, joined)
            && let Err(error) = store.node_left(&id).await
        {
            tracing::warn!(%error, "the others take this node for one that runs, for a while");
        }
        built
    }

    /// `joined` becomes what the node is called, once the others know of it.
    async fn put_together(
        config: &Config,
        store: Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        joined: &mut Option<String>,
    ) -> Result<Self, AppError> {
        // Tokens are issued by the node's own clock, or not at all; everything else happens at the time agreed on.
        let own_clock = Arc::clone(&clock);
        let agreed = Arc::new(AgreedClock::new(clock));
        let following = store.following();
        agreed.compare(&following).await?;
        let clock: Arc<dyn Clock> = Arc::<AgreedClock>::clone(&agreed);
        let sets = authorities::load_and_warn(config, clock.now())?;
        let rules = outbound_rules(config)?;
        let sealing_key = load_sealing_key(&config.sealing_key)?;
        // In boxes, because whoever builds a server would otherwise be as large as everything here that waits.
        let mut node = Box::pin(join_others(config, &following, &sets, &clock, &*random)).await?;
        *joined = node.as_ref().map(|node| node.id().to_owned());
        let (seal, cursors) = (sealing_key.audit_seal(), sealing_key.cursor_seal());
        let secrets = sealing_key.secret_seal();
        let open_id_seal = secrets.clone();
        let its = key_rules(config);
        let keys = KeyKeeper::open(following.clone(), sealing_key, &*clock, &*random, its);
        let keys = Arc::new(Box::pin(keys).await?);
        let caches = Arc::new(Caches::new(store.deciding()));
        let feed = Feed::open(
            following,
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
        let by_client = config.limits.token_requests_by_client;
        let issuer = Issuer {
            rules: issue_rules(config),
            clock: own_clock,
            random,
            caches,
            registers,
            feed,
            certificates,
            requests: RateLimit::per_second(by_client, &clock),
            business_requests: RateLimit::per_second(by_client, &clock),
            replay,
            last_uses: LastUses::start(&store),
            token_uses,
            keys: keys.ring(),
        };
        tasks.0.extend(lists.into_iter().chain([tokio::spawn(authorities)]));
        tasks.0.extend(refresh.map(tokio::spawn));
        tasks.0.extend(post.map(|post| tokio::spawn(post.run())));
        tasks.0.extend(look_after(&registry, &store, &clock, node.as_ref()));
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
            store,
            poll: config.feed.poll,
            node,
            _tasks: tasks,
        })
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

/// Has alerts mailed, the log of the database kept short, and signing keys take turns, with an eye on nodes that have other
/// settings.
fn look_after(
    registry: &Registry,
    store: &Store,
    clock: &Arc<dyn Clock>,
    node: Option<&Node>,
) -> [JoinHandle<()>; 3] {
    let differing = node.map(Node::watch_difference);
    [
        tokio::spawn(alerts::run(registry.clone())),
        tokio::spawn(checkpoints::run(store.clone())),
        tokio::spawn(signing_keys::run(registry.clone(), Arc::clone(clock), differing)),
    ]
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
    let (skew, outage_max) = (config.token.clock_skew_seconds, outage_max(config));
    let (replay, writer, ended) = Replay::start(store, Arc::clone(clock), skew, outage_max);
    let told = outages::run(registry.clone(), ended, node.to_owned());
    tasks.0.extend([writer, tokio::spawn(told)]);
    replay
}

/// Shows the node, if it is one, to the others from now on, as it is each time.
fn show_others(
    node: Option<&mut Node>,
    config: &Config,
    feed: &Arc<Feed>,
    certificates: &Arc<EnterpriseCertificates>,
    clock: &Arc<dyn Clock>,
) {
    let Some(node) = node else { return };
    let (config, sets, clock) = (config.clone(), Arc::clone(certificates), Arc::clone(clock));
    node.show(feed, move || settings::shared(&config, sets.sets().iter(), clock.now()));
}
