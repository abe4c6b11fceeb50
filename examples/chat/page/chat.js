const show = (id, text) => { document.getElementById(id).textContent = text; };
const given = new URLSearchParams(location.search).get('name');
const name = given || prompt('Your name?', 'Ada') || 'Nobody';
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

function receive(event) {
  const news = JSON.parse(event.data);
  if (news.certificate) show('certificate', `This connection's certificate: ${news.certificate}`);
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
