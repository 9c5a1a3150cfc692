//! Digdir's self-service API, as tools of operators use it.

mod fallbacks;
