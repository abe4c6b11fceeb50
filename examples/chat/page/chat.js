const show = (id, text) => { document.getElementById(id).textContent = text; };
const given = new URLSearchParams(location.search).get('name');
const wanted = given || prompt('Your name?', 'Ada') || 'Nobody';
const name = [...wanted].slice(0, 40).join('');  // the server refuses longer ones
let socket;

function add({from, text}) {
  const line = document.createElement('li');
  const who = line.appendChild(document.createElement('b'));
  who.textContent = from;
  line.append(text);  // as text, never as HTML
  const messages = document.getElementById('messages');
  messages.append(line);
  messages.scrollTop = messages.scrollHeight;
}

function showCertificate({subject, fingerprint, expires}) {
  const until = new Date(expires * 1000).toISOString().slice(0, 10);
  show('certificate', `This connection's certificate: ${subject}, until ${until}, SHA-256 ${fingerprint}`);
}

function receive(event) {
  const news = JSON.parse(event.data);
  if (news.certificate) showCertificate(news.certificate);
  if (news.people) show('people', news.people.join(', '));
  if (news.text) add(news);
}

function connect() {
  const url = new URL(`chat?name=${encodeURIComponent(name)}`, location.href);
  url.protocol = 'wss:';
  socket = new WebSocket(url);
  socket.onmessage = receive;
  socket.onclose = () => {
    show('people', 'Connecting again …');
    setTimeout(connect, 1000);
  };
}

document.getElementById('entry').addEventListener('submit', event => {
  event.preventDefault();
  const text = document.getElementById('text');
  if (socket.readyState !== WebSocket.OPEN || !text.value) return;
  socket.send(text.value);
  text.value = '';
});

connect();
