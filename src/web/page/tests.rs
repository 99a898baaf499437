use axum::body::to_bytes;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::*;
use crate::api::{IncomingProtocol, Reason};
use crate::domain::progress::{State, Step, Trouble, What};
use crate::web::outcome::News;
use crate::web::progress::{Overall, Progress};
use crate::web::stopped::Refused;
use crate::web::words;

const HOSTILE: &str = "\"><script>alert(1)</script><form action='https://evil'>&#x3c;\u{202e}";

fn owner(overall: Overall, state: State) -> Stage<'static> {
    Stage::Owner(Owner {
        account: HOSTILE,
        progress: Progress {
            overall,
            steps: vec![Step {
                what: What::Incoming(IncomingProtocol::Pop3),
                state,
                remark: Some(Reason::ArrivedInSpam),
            }],
        },
    })
}

fn trouble() -> Trouble {
    Trouble {
        reason: Reason::LoginRefused,
        reply: Some(HOSTILE.to_owned()),
    }
}

fn landing(stage: Stage<'static>, closed: Option<Reason>, news: Option<News>) -> Landing<'static> {
    Landing {
        asks: Asks {
            cluster: Some(HOSTILE),
            namespace: HOSTILE,
            name: HOSTILE,
            address: HOSTILE,
            account: Some(HOSTILE),
            purpose: Some(HOSTILE),
            app_name: Some(HOSTILE),
            contact: Some(HOSTILE),
            uses: vec![HOSTILE.to_owned()],
        },
        link: "/signin/a/b/c",
        closed: closed.map(words::of),
        outsider: None,
        news,
        stage,
    }
}

async fn text(landing: &Landing<'_>) -> String {
    let body = landing.page(StatusCode::OK).into_response().into_body();
    String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap()
}

fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

fn stages() -> Vec<Stage<'static>> {
    vec![
        Stage::Open,
        Stage::Connected,
        Stage::AskedToMove(HOSTILE),
        owner(Overall::Running, State::TriesAgain(trouble())),
        owner(Overall::Works, State::Works),
        owner(Overall::Fails, State::Fails(trouble())),
        owner(Overall::Held(Reason::CapacityReached), State::Waiting),
    ]
}

fn all_news() -> Vec<Option<News>> {
    let refused = |reason| {
        News::Refused(Refused {
            reason,
            signed_in: Some(HOSTILE.to_owned()),
            detail: Some(HOSTILE.to_owned()),
        })
    };
    vec![
        None,
        Some(refused(Reason::WrongAccount)),
        Some(News::SignedOut),
        Some(News::TestTooSoon),
    ]
}

/// Every page, with hostile words wherever somebody else's stand.
#[tokio::test]
async fn nobodys_words_become_html() {
    for news in all_news() {
        for closed in [None, Some(Reason::ProfileNotReady)] {
            for stage in stages() {
                let live = matches!(&stage, Stage::Owner(owner) if owner.progress.overall == Overall::Running);
                let page = text(&landing(stage, closed, news.clone())).await;
                assert_eq!(count(&page, "<script"), usize::from(live), "{page}");
                assert_eq!(count(&page, "evil'>"), 0, "{page}");
                for tag in ["bdi", "form", "details", "section", "p", "button"] {
                    let opened =
                        count(&page, &format!("<{tag}>")) + count(&page, &format!("<{tag} "));
                    assert_eq!(
                        opened,
                        count(&page, &format!("</{tag}>")),
                        "{tag} in {page}"
                    );
                }
                assert_eq!(count(&page, "<h1"), 1);
            }
        }
    }
}

/// Where signing in is closed no button leads to Google.
#[tokio::test]
async fn each_stage_has_its_buttons() {
    let actions = |page: &str| {
        let forms = page.split("action=\"/signin/a/b/c").skip(1);
        let ends = forms.map(|rest| rest.split('"').next().unwrap().to_owned());
        ends.collect::<Vec<_>>()
    };
    let expected: [(&[&str], &[&str]); 7] = [
        (&[""], &[]),
        (&["/prove", ""], &[]),
        (&["/move", "/stay"], &["/move", "/stay"]),
        (&["", "/sign-out"], &["/sign-out"]),
        (&["/test", "", "/sign-out"], &["/test", "/sign-out"]),
        (&["/test", "", "/sign-out"], &["/test", "/sign-out"]),
        (&["/test", "", "/sign-out"], &["/test", "/sign-out"]),
    ];
    for ((open, closed), n) in expected.into_iter().zip(0..) {
        let page = text(&landing(stages().remove(n), None, None)).await;
        assert_eq!(actions(&page), open, "{n}");
        let page = text(&landing(
            stages().remove(n),
            Some(Reason::ProfileNotReady),
            None,
        ))
        .await;
        assert_eq!(actions(&page), closed, "{n} closed");
        assert!(page.contains("platform admin"), "{page}");
    }
}

#[test]
fn no_style_or_script_is_cut_short_by_its_own_end() {
    for text in [STYLE, SCRIPT] {
        assert!(!text.contains("</") && !text.contains("<!--"));
    }
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
}
