//! Values that must not be printed. `Debug` shows nothing of them and there is no `Display`; the
//! one way in is [`ExposeSecret`], which is easy to find in a review.

pub use secrecy::{ExposeSecret, SecretString};

macro_rules! secret {
    ($(#[$doc:meta] $name:ident;)*) => {$(
        #[$doc]
        #[derive(Clone, Debug)]
        pub struct $name(SecretString);

        impl $name {
            /// Takes the value over.
            pub fn new(value: impl Into<String>) -> Self {
                Self(SecretString::from(value.into()))
            }
        }

        impl ExposeSecret<str> for $name {
            fn expose_secret(&self) -> &str {
                self.0.expose_secret()
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.expose_secret() == other.expose_secret()
            }
        }

        impl Eq for $name {}
    )*};
}

secret! {
    /// The secret of an OAuth client.
    ClientSecret;
    /// A refresh token (RFC 6749 section 1.5): up to 512 bytes at Google.
    RefreshToken;
    /// An access token (RFC 6749 section 1.4): up to 2048 bytes at Google.
    AccessToken;
    /// An authorisation code (RFC 6749 section 1.3.1): up to 256 bytes at Google.
    AuthorizationCode;
    /// A PKCE code verifier (RFC 7636 section 4.1).
    CodeVerifier;
    /// The nonce of one sign-in (OpenID Connect Core section 3.1.2.1).
    SignInNonce;
}
