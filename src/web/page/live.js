(() => {
  const live = () => document.getElementById("live");
  let wait = 1000;
  const soon = () => { if (live() && "running" in live().dataset) setTimeout(look, wait); };
  // Only what differs: a screen reader reads out what is new, and the focus stays where it is.
  const renew = (old, fresh) => {
    const [was, is] = [[...old.children], [...fresh.children]];
    if (was.length !== is.length || !old.matches("#live, .steps")) return old.replaceWith(fresh);
    was.forEach((child, i) => { if (!child.isEqualNode(is[i])) renew(child, is[i]); });
  };
  const look = async () => {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw answer.status;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      if (!fresh) return location.reload();
      const folds = [live(), fresh].map((part) => part.querySelectorAll("details"));
      folds[0].forEach((fold, i) => folds[1][i]?.toggleAttribute("open", fold.open));
      renew(live(), fresh);
      if (!("running" in fresh.dataset)) delete live().dataset.running;
      document.title = page.title;
      wait = Math.min(5000, wait * 1.05);
    } catch {
      wait = 5000;
    }
    soon();
  };
  soon();
})();
