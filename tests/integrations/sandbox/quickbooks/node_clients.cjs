// node-quickbooks and intuit-oauth as they are published, pointed at the simulator; prints what they got as JSON.
// Usage: node node_clients.cjs MODULES_FOLDER BASE_URL REALM CODE REDIRECT_URI

const { createRequire } = require('node:module');
const { promisify } = require('node:util');
const { Readable } = require('node:stream');
const [modules, base, realm, code, redirectUri] = process.argv.slice(2);
const load = createRequire(`${modules}/`);
const QuickBooks = load('node-quickbooks');
const OAuthClient = load('intuit-oauth');

async function signIn() {
  OAuthClient.tokenEndpoint = `${base}/oauth2/token`;
  OAuthClient.revokeEndpoint = `${base}/oauth2/revoke`;
  OAuthClient.environment.sandbox = `${base}/`;
  const client = new OAuthClient({
    clientId: 'kontor-demo', clientSecret: 'kontor-demo-secret', environment: 'sandbox', redirectUri,
  });
  await client.createToken(`${redirectUri}?code=${code}&state=s&realmId=${realm}`);
  const first = client.getToken().refresh_token;
  await client.refresh();
  const info = await client.makeApiCall({ url: `v3/company/${realm}/companyinfo/${realm}` });
  return { client, first, company: info.json.CompanyInfo.CompanyName };
}

function pointedAt(token) {
  QuickBooks.V3_ENDPOINT_BASE_URL = `${base}/v3/company/`;
  QuickBooks.TOKEN_URL = `${base}/oauth2/token`;
  QuickBooks.REVOKE_URL = `${base}/oauth2/revoke`;
  const client = new QuickBooks(
    'kontor-demo', 'kontor-demo-secret', token.access_token, false, realm, true, false, 75, '2.0', token.refresh_token,
  );
  return new Proxy(client, { get: (target, name) => promisify(target[name]).bind(target) });
}

async function work(qbo, out) {
  const list = async (name, criteria) => (await qbo[`find${name}s`](criteria)).QueryResponse;
  const expense = (await list('Account', { AccountType: 'Expense', limit: 5 })).Account[0];
  const tax = (await list('TaxCode', {})).TaxCode[0];
  const vendor = await qbo.createVendor({ DisplayName: 'Knoten GmbH' });
  const line = {
    Amount: 100, DetailType: 'AccountBasedExpenseLineDetail',
    AccountBasedExpenseLineDetail: { AccountRef: { value: expense.Id }, TaxCodeRef: { value: tax.Id } },
  };
  const body = () => ({ VendorRef: { value: vendor.Id }, DocNumber: 'N-1', Line: [line], requestId: 'node-1' });
  const bill = await qbo.createBill(body());
  out.sameBill = (await qbo.createBill(body())).Id === bill.Id;
  out.total = bill.TotalAmt;
  const file = await qbo.upload('a.pdf', 'application/pdf', Readable.from([Buffer.from('%PDF-1.4')]), 'Bill', bill.Id);
  out.attachedTo = file.AttachableRef[0].EntityRef.value === bill.Id;
  const changed = await qbo.updateBill({ ...bill, PrivateNote: 'changed' });
  out.note = changed.PrivateNote;
  out.counted = (await qbo.findVendors({ count: true })).QueryResponse.totalCount;
  out.refused = await qbo.createVendor({ DisplayName: 'knoten gmbh' }).catch((error) => (error.Fault || error.response.data.Fault).Error[0].code);
  const item = (await list('Item', { limit: 1 })).Item[0];
  const customer = await qbo.createCustomer({ DisplayName: 'Kunde AG', PrimaryEmailAddr: { Address: 'k@example.com' } });
  const invoice = await qbo.createInvoice({
    CustomerRef: { value: customer.Id },
    Line: [{
      Amount: 50, DetailType: 'SalesItemLineDetail',
      SalesItemLineDetail: { ItemRef: { value: item.Id }, TaxCodeRef: { value: tax.Id } },
    }],
  });
  out.mailed = (await qbo.sendInvoicePdf(invoice.Id, 'k@example.com')).EmailStatus;
  out.pdf = (await qbo.getInvoicePdf(invoice.Id)).toString('latin1').slice(0, 5);
  const batch = await qbo.batch([{ bId: '1', operation: 'create', Customer: { DisplayName: 'Batch' } }]);
  out.batch = batch.BatchItemResponse[0].Customer.DisplayName;
  await qbo.deleteBill(changed);
  const changes = await qbo.changeDataCapture(['Bill'], new Date(Date.now() - 300000));
  out.captured = changes.CDCResponse[0].QueryResponse[0].Bill[0].status;
}

async function main() {
  const { client, first, company } = await signIn();
  const out = { company };
  out.rotated = client.getToken().refresh_token !== first;
  await work(pointedAt(client.getToken()), out);
  await client.revoke();
  out.ended = await client.refresh().then(() => false, () => true);
  console.log(JSON.stringify(out));
}

main().catch((error) => { console.error(error); process.exit(1); });
