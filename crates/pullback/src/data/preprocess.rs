#[derive(Debug, Clone, PartialEq)]
pub enum Warning {}
