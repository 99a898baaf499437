//! The pages of Google's console, "Google Auth Platform" (support.google.com/cloud/answer/15544987).

/// A new Cloud project.
pub const NEW_PROJECT: &str = "https://console.cloud.google.com/projectcreate";
/// The switch of the Gmail API.
pub const GMAIL_API: &str = "https://console.cloud.google.com/apis/library/gmail.googleapis.com";
/// Branding: app name, authorised domains.
pub const BRANDING: &str = "https://console.cloud.google.com/auth/branding";
/// Audience: user type, publishing status, test users.
pub const AUDIENCE: &str = "https://console.cloud.google.com/auth/audience";
/// Data access: scopes.
pub const DATA_ACCESS: &str = "https://console.cloud.google.com/auth/scopes";
/// Clients: redirect URIs, secrets.
pub const CLIENTS: &str = "https://console.cloud.google.com/auth/clients";
/// Where a Google Workspace organisation is administered.
pub const WORKSPACE: &str = "https://admin.google.com";
