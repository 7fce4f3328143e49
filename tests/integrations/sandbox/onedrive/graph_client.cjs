// Microsoft's own Graph client for JavaScript, as it is published, against the simulator.
// node graph_client.cjs MODULES URL TOKEN  → prints as JSON what it saw.
const [modules, url, token] = process.argv.slice(2);
const { Client, LargeFileUploadTask, FileUpload, PageIterator, BatchRequestContent, BatchResponseContent } =
  require(`${modules}/node_modules/@microsoft/microsoft-graph-client`);

async function main() {
  const client = Client.init({
    baseUrl: `${url}/`,
    customHosts: new Set(["127.0.0.1"]),
    authProvider: (done) => done(null, token),
  });
  const seen = {};
  seen.me = (await client.api("/me").get()).displayName;
  seen.drive = await client.api("/me/drive").select("id,driveType,quota").get();
  const folder = await client.api("/me/drive/root/children").post({ name: "Kontor", folder: {} });
  for (let number = 0; number < 5; number++) {
    await client.api(`/me/drive/items/${folder.id}:/${number}.txt:/content`).put(Buffer.from(`text ${number}`));
  }
  try {
    await client.api(`/me/drive/items/${folder.id}:/1.txt:/content?@microsoft.graph.conflictBehavior=fail`).put("x");
  } catch (error) {
    seen.clash = [error.statusCode, error.code];
  }
  const first = await client.api(`/me/drive/items/${folder.id}/children`).top(2).get();
  seen.names = [];
  await new PageIterator(client, first, (item) => { seen.names.push(item.name); return true; }).iterate();
  const content = Buffer.alloc(3 * 327680 + 17, 7);
  const session = await LargeFileUploadTask.createUploadSession(
    client, `${url}/v1.0/me/drive/items/${folder.id}:/large.bin:/createUploadSession`,
    { item: { "@microsoft.graph.conflictBehavior": "rename" } });
  const pieces = [];
  const task = new LargeFileUploadTask(client, new FileUpload(content, "large.bin", content.length), session,
    { rangeSize: 327680, uploadEventHandlers: { progress: (range) => pieces.push(range.minValue) } });
  seen.large = (await task.upload()).responseBody.size;
  seen.pieces = pieces;
  const moved = await client.api("/me/drive/root:/Kontor/0.txt").patch({ name: "moved.txt", parentReference: { id: folder.id } });
  seen.moved = moved.name;
  const batch = new BatchRequestContent([
    { id: "1", request: new Request(`${url}/me/drive/items/${moved.id}`, { method: "GET" }) },
    { id: "2", request: new Request(`${url}/me/drive/items/none`, { method: "GET" }) },
  ]);
  const answers = new BatchResponseContent(await client.api("/$batch").post(await batch.getContent()));
  seen.batch = ["1", "2"].map((id) => answers.getResponseById(id).status);
  await client.api(`/me/drive/items/${moved.id}`).delete();
  seen.gone = await client.api(`/me/drive/items/${moved.id}`).get().catch((error) => error.statusCode);
  console.log(JSON.stringify(seen));
}

main().catch((error) => { console.error(error); process.exit(1); });
