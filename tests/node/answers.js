// answers.js: what Twilio's OpenAPI file says of answers of the REST API. Reads {spec, answers:
// [{method, path, status, body}]} and prints {checked, faults: [text]}. Stricter than the file:
// an answer has every property that it declares, and no other.
'use strict';

const Ajv = require('ajv').default;
const addFormats = require('ajv-formats').default;

const {spec, answers} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const api = JSON.parse(require('fs').readFileSync(spec, 'utf8'));
const ajv = new Ajv({strict: false, allErrors: true, logger: false});
addFormats(ajv);
ajv.addFormat('date-time-rfc-2822', /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d \+0000$/);
ajv.addFormat('phone-number', /^\+[1-9]\d{3,14}$/);
ajv.addFormat('http-method', /^(GET|POST)$/);
ajv.addFormat('currency', /^[A-Z]{3}$/);
// OpenAPI 3.0's nullable is no JSON Schema where no type stands beside it.
(function tidy(at) {
	if (!at || typeof at !== 'object')
		return;
	if (at.nullable && at.enum)
		at.enum = [...at.enum, null];
	if (at.nullable && !at.type)
		delete at.nullable;
	Object.values(at).forEach(tidy);
})(api);
// Its own words say that this one is null while the conference lasts.
const ended = api.components.schemas.conference_enum_reason_conference_ended;
Object.assign(ended, {nullable: true, enum: [...ended.enum, null]});
ajv.addSchema(api, 'api');

const paths = Object.keys(api.paths).map(template => ({
	template,
	// Literal paths before those with parameters of the same length.
	weight: (template.match(/\{/g) || []).length,
	regex: new RegExp('^' + template.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+?') + '$'),
})).sort((a, b) => a.weight - b.weight);

const follow = schema => schema && schema.$ref
	? schema.$ref.slice(2).split('/').reduce((at, key) => at[key.replace(/~1/g, '/').replace(/~0/g, '~')], api)
	: schema;
const escape = key => key.replace(/~/g, '~0').replace(/\//g, '~1');

// Properties that are missing or unknown, all the way down.
function differences(schema, value, where) {
	schema = follow(schema);
	if (!schema || value === null || value === undefined)
		return [];
	if (Array.isArray(value))
		return value.flatMap((item, i) => differences(schema.items, item, `${where}[${i}]`));
	if (typeof value !== 'object' || !schema.properties)
		return [];
	// Optional in the file's own examples.
	const optional = ['track', 'account_sid'];
	const missing = Object.keys(schema.properties).filter(name => !(name in value) && !optional.includes(name));
	const unknown = Object.keys(value).filter(name => !(name in schema.properties));
	return [...missing.map(name => `${where}.${name} is missing`),
		...unknown.map(name => `${where}.${name} is unknown`),
		...Object.keys(value).flatMap(name => differences(schema.properties[name], value[name], `${where}.${name}`))];
}

function judgeError(answer) {
	const body = answer.body || {};
	const ok = Number.isInteger(body.code) && body.status === answer.status && typeof body.message === 'string'
		&& /^https:\/\/www\.twilio\.com\/docs\/errors\/\d+$/.test(body.more_info || '');
	return ok ? [] : ['is no error as Twilio writes them: ' + JSON.stringify(answer.body)];
}

function judge(answer) {
	const path = paths.find(({regex}) => regex.test(answer.path));
	const operation = path && api.paths[path.template][answer.method.toLowerCase()];
	if (answer.status >= 400)
		return judgeError(answer);
	if (!operation)
		return ['is no operation of the file'];
	const response = operation.responses[answer.status];
	if (!response)
		return [`the file has no status ${answer.status}, but ${Object.keys(operation.responses)}`];
	if (!response.content)
		return answer.body == null ? [] : ['has a body'];
	const at = ['api#', 'paths', escape(path.template), answer.method.toLowerCase(), 'responses', answer.status,
		'content', 'application~1json', 'schema'].join('/');
	const validate = ajv.getSchema(at) || ajv.compile({$ref: at});
	const faults = validate(answer.body) ? [] : validate.errors.map(e => `${e.instancePath} ${e.message}`);
	return [...faults, ...differences(response.content['application/json'].schema, answer.body, '')];
}

const seen = new Set();
const faults = answers.flatMap(answer => judge(answer).map(fault =>
	`${answer.method} ${answer.path.replace(/\b([A-Z]{2})[0-9a-f]{32}/g, '$1..')} ${answer.status}: ${fault}`))
	.filter(fault => !seen.has(fault) && seen.add(fault));
console.log(JSON.stringify({checked: answers.length, faults}));
