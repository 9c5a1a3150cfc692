//! pages
use axum::extract::Path;
pub(super) async fn index() -> String {
    String::new()
}
pub(super) async fn style() -> String {
    String::new()
}
pub(super) async fn page(Path(code): Path<String>) -> String {
    code
}
