"use strict";
(function () {
	var N = 0, KIND = 1, SIZE = 2, PACKED = 3, FILES = 4, DETAIL = 5, WHAT = 6, SUB = 7;
	var data = JSON.parse(document.getElementById("data").textContent);
	var two = data.two, kinds = data.kinds;
	var state = { view: "packages", by: SIZE, side: 0, path: [], find: "" };
	var map = document.getElementById("map"), say = document.getElementById("say");
	var way = document.getElementById("way"), rows = document.getElementById("rows");
	var caption = document.getElementById("caption"), find = document.getElementById("find");
	var tiles = [];

	function human(bytes) {
		var units = ["B", "kB", "MB", "GB", "TB", "PB"], unit = 0, value = Math.abs(bytes);
		while (value >= 999.95 && unit + 1 < units.length) {
			value /= 1000;
			unit++;
		}
		return (bytes < 0 ? "\u2212" : "") + value.toFixed(unit ? 1 : 0) + " " + units[unit];
	}
	function signed(bytes) {
		return (bytes > 0 ? "+" : "") + human(bytes);
	}
	function make(name, cls, text) {
		var el = document.createElement(name);
		if (cls)
			el.className = cls;
		if (text !== undefined)
			el.textContent = text;
		return el;
	}
	function empty(el) {
		while (el.firstChild)
			el.removeChild(el.firstChild);
	}
	function value(node) {
		return node[state.by][two ? state.side : 0];
	}
	function root() {
		return data.views[state.view];
	}
	/* The nodes from the top to where we are. */
	function line() {
		var list = [root()];
		state.path.every(function (at) {
			var next = list[list.length - 1][SUB][at];
			if (!next || !next[SUB].length)
				return false;
			list.push(next);
			return true;
		});
		state.path.length = list.length - 1;
		return list;
	}
	function here() {
		var list = line();
		return list[list.length - 1];
	}
	function matches(node, text) {
		return node[N].toLowerCase().indexOf(text) >= 0;
	}
	function contains(node, text) {
		return matches(node, text) || node[SUB].some(function (sub) {
			return contains(sub, text);
		});
	}
	function change(node) {
		var a = node[state.by][0], b = node[state.by][1];
		var small = Math.abs(a - b) < a / 20;
		if (a === b)
			return "same";
		if (!a || !b)
			return b ? "new" : "gone";
		return b < a ? (small ? "less1" : "less") : (small ? "more1" : "more");
	}
	function colour(node) {
		return two ? change(node) : "k" + node[KIND];
	}
	function percent(part, all) {
		return all ? (100 * part / all).toFixed(1) + " %" : "";
	}
	function describe(node, parents) {
		var text = parents + node[N] + ": ";
		if (two) {
			text += human(node[SIZE][0]) + " before, " + human(node[SIZE][1]) + " after (" +
				signed(node[SIZE][1] - node[SIZE][0]) + "); packed " +
				human(node[PACKED][0]) + " before, " + human(node[PACKED][1]) + " after";
		} else {
			text += human(node[SIZE][0]) + " unpacked, " + human(node[PACKED][0]) +
				" packed, " + percent(value(node), value(root())) + " of all";
			if (node[SUB].length || node[WHAT] === "rest")
				text += ", " + node[FILES][0] + " files";
			if (node !== root())
				text += ", " + kinds[node[KIND]];
		}
		return node[DETAIL] ? text + ". " + node[DETAIL] : text;
	}
	function trail() {
		return state.path.length ? line().slice(1).map(function (node) {
			return node[N] + "/";
		}).join("") : "";
	}

	/* Squarified: rows of tiles whose sides stay close to each other. */
	function worst(sum, least, most, side) {
		return Math.max(side * side * most / (sum * sum), sum * sum / (side * side * least));
	}
	function squarify(nodes, box, place) {
		var all = nodes.reduce(function (sum, node) { return sum + value(node); }, 0);
		var x = box.x, y = box.y, w = box.w, h = box.h, at = 0;
		var scale = all ? w * h / all : 0;
		while (at < nodes.length && w > 0.5 && h > 0.5 && scale) {
			var side = Math.min(w, h), sum = 0, end = at, best = Infinity;
			var most = value(nodes[at]) * scale, thick, run = 0;
			while (end < nodes.length) {
				var area = value(nodes[end]) * scale;
				if (area <= 0)
					break;
				var now = worst(sum + area, area, most, side);
				if (now > best)
					break;
				best = now;
				sum += area;
				end++;
			}
			if (end === at)
				break;
			thick = sum / side;
			for (; at < end; at++) {
				var len = value(nodes[at]) * scale / thick;
				if (w >= h)
					place(nodes[at], { x: x, y: y + run, w: thick, h: len });
				else
					place(nodes[at], { x: x + run, y: y, w: len, h: thick });
				run += len;
			}
			if (w >= h) {
				x += thick;
				w -= thick;
			} else {
				y += thick;
				h -= thick;
			}
		}
	}
	function last(node) {
		return node[WHAT] === "rest" ? 1 : 0;
	}
	function ordered(node) {
		return node[SUB].map(function (sub, at) {
			return { sub: sub, at: at };
		}).filter(function (one) {
			return value(one.sub) > 0;
		}).sort(function (a, b) {
			return last(a.sub) - last(b.sub) || value(b.sub) - value(a.sub) || a.at - b.at;
		});
	}
	function draw(node, box, depth, path, names) {
		var list = ordered(node), places = new Map();
		list.forEach(function (one) { places.set(one.sub, one.at); });
		squarify(list.map(function (one) { return one.sub; }), box, function (sub, b) {
			if (b.w < 3 || b.h < 3)
				return;
			var own = path.concat(places.get(sub));
			tile(sub, b, depth, own, names);
			if (depth < 2 && sub[SUB].length && b.w > 46 && b.h > 46)
				draw(sub, { x: b.x + 3, y: b.y + 20, w: b.w - 6, h: b.h - 23 }, depth + 1,
					own, names + sub[N] + "/");
		});
	}
	function tile(node, b, depth, path, names) {
		var el = make(depth ? "div" : "button", "tile " + colour(node) + (depth ? " in" + depth : ""));
		var text = describe(node, names), big = b.w > 34 && b.h > 17;
		/* of the map, so that tiles stay in it until they are drawn anew */
		el.style.left = 100 * b.x / map.clientWidth + "%";
		el.style.top = 100 * b.y / map.clientHeight + "%";
		el.style.width = 100 * b.w / map.clientWidth + "%";
		el.style.height = 100 * b.h / map.clientHeight + "%";
		if (node[WHAT] === "rest")
			el.classList.add("rest");
		if (big) {
			el.appendChild(make("b", "", node[N]));
			if (b.w > 120 && !(two && change(node) === "same"))
				el.appendChild(make("i", "", two ? signed(node[state.by][1] -
					node[state.by][0]) : human(value(node))));
		}
		if (depth) {
			el.setAttribute("aria-hidden", "true");
		} else {
			el.type = "button";
			el.tabIndex = tiles.length ? -1 : 0;
			el.setAttribute("aria-label", text);
			tiles.push(el);
		}
		if (state.find) {
			if (matches(node, state.find))
				el.classList.add("hit");
			else if (!contains(node, state.find))
				el.classList.add("dim");
		}
		el.addEventListener("mouseenter", function () { say.textContent = text; });
		el.addEventListener("focus", function () { say.textContent = text; });
		el.addEventListener("click", function () {
			if (node[SUB].length)
				go(path);
			else if (path.length - 1 > state.path.length)
				go(path.slice(0, -1));
			say.textContent = text;
		});
		map.appendChild(el);
	}

	function button(text, act) {
		var el = make("button", "", text);
		el.type = "button";
		el.addEventListener("click", act);
		return el;
	}
	function number(row, text, cls) {
		row.appendChild(make("td", cls || "", text));
	}
	function row(node, path, names) {
		var el = make("tr"), name = make("td", "t"), share = make("span", "share");
		var top = value(root());
		if (node[SUB].length)
			name.appendChild(button(names + node[N], function () { go(path); }));
		else
			name.appendChild(make("span", "", names + node[N]));
		if (node[DETAIL])
			name.appendChild(make("small", "", node[DETAIL]));
		share.style.width = (top ? 100 * value(node) / top : 0) + "%";
		name.appendChild(share);
		el.appendChild(name);
		if (two) {
			number(el, human(node[state.by][0]));
			number(el, human(node[state.by][1]));
			number(el, signed(node[state.by][1] - node[state.by][0]));
		} else {
			number(el, human(node[SIZE][0]));
			number(el, human(node[PACKED][0]));
			number(el, percent(value(node), top), "o");
		}
		number(el, String(node[FILES][two ? state.side : 0]), "o");
		rows.appendChild(el);
	}
	function found(node, path, names, list) {
		node[SUB].forEach(function (sub, at) {
			var own = path.concat(at);
			if (sub[WHAT] !== "rest" && matches(sub, state.find))
				list.push({ node: sub, path: own, names: names });
			found(sub, own, names + sub[N] + "/", list);
		});
		return list;
	}
	function fill() {
		var node = here(), list, path = state.path;
		empty(rows);
		if (state.find) {
			list = found(root(), [], "", []).sort(function (a, b) {
				return value(b.node) - value(a.node);
			});
			caption.textContent = list.length + " found for \u201c" + find.value.trim() + "\u201d" +
				(list.length > 50 ? ", the largest 50" : "");
			list.slice(0, 50).forEach(function (one) {
				row(one.node, one.path, one.names);
			});
			return;
		}
		caption.textContent = "In " + (state.path.length ? trail().slice(0, -1) : node[N]);
		list = node[SUB].map(function (sub, at) { return { sub: sub, at: at }; });
		list.sort(function (a, b) {
			return last(a.sub) - last(b.sub) || value(b.sub) - value(a.sub) || a.at - b.at;
		});
		list.forEach(function (one) { row(one.sub, path.concat(one.at), ""); });
	}
	function crumbs() {
		empty(way);
		line().forEach(function (node, at, list) {
			var item = make("li"), last = at === list.length - 1;
			var el = last ? make("span", "", node[N]) :
				button(node[N], function () { go(state.path.slice(0, at)); });
			if (last)
				el.setAttribute("aria-current", "location");
			item.appendChild(el);
			way.appendChild(item);
		});
	}
	function paint() {
		empty(map);
		tiles = [];
		painted = room();
		var node = here();
		draw(node, { x: 0, y: 0, w: map.clientWidth, h: map.clientHeight }, 0, state.path.slice(),
			trail());
		if (!tiles.length)
			map.appendChild(make("p", "soft", "nothing here" +
				(two ? " on this side" : "")));
		crumbs();
		fill();
		say.textContent = describe(node, state.path.length ? line().slice(1, -1).map(
			function (one) { return one[N] + "/"; }).join("") : "");
	}
	function remember() {
		var text = "#view=" + state.view + "&by=" + (state.by === SIZE ? "size" : "packed");
		if (two)
			text += "&side=" + (state.side ? "after" : "before");
		if (state.path.length)
			text += "&at=" + state.path.join(".");
		if (state.find)
			text += "&find=" + encodeURIComponent(state.find);
		try {
			history.replaceState(null, "", text);
		} catch (e) {
			/* some places where a page can be opened have no history */
		}
	}
	function show() {
		["view", "by", "side"].forEach(function (name) {
			document.querySelectorAll("input[name=" + name + "]").forEach(function (el) {
				var now = name === "view" ? state.view : name === "by" ?
					(state.by === SIZE ? "size" : "packed") :
					(state.side ? "after" : "before");
				el.checked = el.value === now;
			});
		});
		remember();
		paint();
	}
	function go(path, keep) {
		var inside = map.contains(document.activeElement) || keep;
		state.path = path;
		state.find = "";
		find.value = "";
		show();
		if (inside && tiles.length)
			tiles[0].focus();
	}
	function recall() {
		location.hash.slice(1).split("&").forEach(function (part) {
			var at = part.indexOf("="), key = part.slice(0, at), text = part.slice(at + 1);
			if (key === "view" && (text === "folders" || text === "packages"))
				state.view = text;
			if (key === "by")
				state.by = text === "packed" ? PACKED : SIZE;
			if (key === "side" && two)
				state.side = text === "after" ? 1 : 0;
			if (key === "at")
				state.path = text.split(".").map(Number).filter(function (n) {
					return n >= 0 && n === Math.floor(n);
				});
			if (key === "find") {
				try {
					find.value = decodeURIComponent(text);
				} catch (e) {
					find.value = "";
				}
				state.find = find.value.trim().toLowerCase();
			}
		});
	}

	document.querySelectorAll("fieldset input").forEach(function (el) {
		el.addEventListener("change", function () {
			if (el.name === "view") {
				state.view = el.value;
				state.path = [];
			} else if (el.name === "by") {
				state.by = el.value === "packed" ? PACKED : SIZE;
			} else {
				state.side = el.value === "after" ? 1 : 0;
			}
			show();
		});
	});
	find.addEventListener("input", function () {
		state.find = find.value.trim().toLowerCase();
		remember();
		paint();
	});
	map.addEventListener("keydown", function (event) {
		var at = tiles.indexOf(document.activeElement), next = at;
		if (event.key === "ArrowRight" || event.key === "ArrowDown")
			next = at + 1;
		else if (event.key === "ArrowLeft" || event.key === "ArrowUp")
			next = at - 1;
		else if (event.key === "Home")
			next = 0;
		else if (event.key === "End")
			next = tiles.length - 1;
		else if ((event.key === "Escape" || event.key === "Backspace") && state.path.length)
			return event.preventDefault(), go(state.path.slice(0, -1), true);
		else
			return;
		event.preventDefault();
		if (tiles[next]) {
			if (tiles[at])
				tiles[at].tabIndex = -1;
			tiles[next].tabIndex = 0;
			tiles[next].focus();
		}
	});
	var waiting = 0, painted = "";
	function room() {
		return map.clientWidth + "x" + map.clientHeight;
	}
	function resized() {
		clearTimeout(waiting);
		waiting = setTimeout(function () {
			if (room() !== painted)
				paint();
		}, 60);
	}
	if (window.ResizeObserver)
		new ResizeObserver(resized).observe(map);
	else
		window.addEventListener("resize", resized);
	window.addEventListener("hashchange", function () {
		recall();
		show();
	});
	document.getElementById("live").hidden = false;
	recall();
	show();
	document.documentElement.setAttribute("data-ready", "yes");
})();
