//! People in the portal, over real HTTP: signing in and out, forms and cookies, and who may do what.

mod browser;
mod sessions;
mod sign_up;
