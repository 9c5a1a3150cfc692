//! The registers of delegations: our own, and those of others that the configuration names.

use std::sync::Arc;

use crate::app::AppError;
use crate::clock::Random;
use crate::config::{self, Config};
use crate::keys::KeyKeeper;
use crate::remote::ServerTokens;
use crate::remote::delegation_register::RemoteRegister;
use crate::remote::outbound::OutboundRules;
use crate::token::cache::Caches;
use crate::token::delegation::memory::RememberedRegister;
use crate::token::delegation::{DelegationSource, KnownRegister, LocalRegister};

/// What people are told that the register of this server is called.
const LOCAL_REGISTER_NAME: &str = "Portvakt";

/// Every register of delegations that scopes may name, our own first.
pub(super) fn delegation_registers(
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

pub(super) fn remote_register(
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
