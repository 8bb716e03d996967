//! Every route of every group. A function serves one group, and knows the others by this table.

use std::sync::LazyLock;

use axum::http::Method;

/// Generated from the routers: a line for each operation, with its method, path and query parameters.
const TABLE: &str = include_str!("routes.txt");

/// A path, with the methods that it has.
pub(super) struct Route {
    pub(super) path: &'static str,
    pub(super) operations: Vec<Operation>,
}

/// One method of a path.
pub(super) struct Operation {
    pub(super) method: Method,
    /// Names of its query parameters.
    pub(super) query: Vec<&'static str>,
}

/// The routes, in the order of their paths.
pub(super) static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let mut routes: Vec<Route> = Vec::new();
    for line in TABLE.lines() {
        let mut columns = line.split(' ');
        let (Some(method), Some(path)) = (columns.next().and_then(|method| method.parse().ok()), columns.next()) else { continue };
        let query = columns.next().map(|names| names.split(',').collect()).unwrap_or_default();
        let operation = Operation { method, query };
        match routes.last_mut() {
            Some(last) if last.path == path => last.operations.push(operation),
            _ => routes.push(Route { path, operations: vec![operation] }),
        }
    }
    routes
});

impl Route {
    /// The segments of its path; parameters are in braces.
    pub(super) fn segments(&self) -> Vec<&'static str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }

    /// Whether it has this method. Where there is GET, there is HEAD.
    pub(super) fn has(&self, method: &Method) -> bool {
        self.operation(method).is_some()
    }

    /// What answers this method.
    pub(super) fn operation(&self, method: &Method) -> Option<&Operation> {
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        self.operations.iter().find(|operation| operation.method == *wanted)
    }

    /// Names of its methods.
    pub(super) fn methods(&self) -> Vec<&str> {
        self.operations.iter().map(|operation| operation.method.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read() {
        let listings = ROUTES.iter().find(|route| route.path == "/api/v1/listings").expect("a route");
        assert_eq!(listings.methods().len(), 2);
        assert!(listings.operation(&Method::HEAD).is_some_and(|operation| operation.query.contains(&"q")));
        assert!(listings.operation(&Method::POST).is_some_and(|operation| operation.query.is_empty()));
        assert!(!listings.has(&Method::PUT));
    }
}
