// Reads the body of a form or JSON request.

/** The whole body as text. */
export async function text(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The fields of a form; a field that comes twice counts once, as browsers' forms here never repeat one. */
export const form = async (req) => Object.fromEntries(new URLSearchParams(await text(req)));
