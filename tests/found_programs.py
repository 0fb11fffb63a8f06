"""The smallest programs in which generated ones once contradicted torch, each under the name of what was wrong.

Here: the programs, cut down to what shows it. Not here: the comparison (test_programs), which asks of each that nothing contradicts any more.
"""

from __future__ import annotations

from textwrap import dedent
from typing import Final

from program_vocabulary import HEADER

FOUND: Final[dict[str, str]] = {
    "written in place on one path": """
        v = torch.zeros(3)
        for _ in range(2):
            if random.random() < 0.5:
                v[0] = torch.tensor(2.0, requires_grad=True)
        """,
    "detached in place on one path": """
        v = nn.Parameter(torch.randn(3))
        if random.random() < 0.5:
            with torch.no_grad():
                v[1:] = 0
        else:
            v.detach_()
        """,
    "gradients enabled under inference mode": """
        s = torch.ones((), requires_grad=True)
        with torch.inference_mode():
            with torch.set_grad_enabled(True):
                t = s * s
        """,
    "inference mode switched off by a decorator": """
        @torch.inference_mode(False)
        def f(m):
            return m * m

        m = f(torch.eye(3))
        v = torch.maximum(torch.ones(3, requires_grad=True), m[0])
        """,
    "view of what gets the flag": """
        v = torch.ones(3)
        w = v.view(3)
        v.requires_grad = True
        """,
    "detached alias that gets the flag": """
        m = torch.rand(3, 3)
        n = m.view(9).view(3, 3)
        a = n.detach().requires_grad_()
        """,
    "view without history of what loses the flag": """
        m = torch.randn(3, 3, requires_grad=True)
        with torch.inference_mode():
            v = m[0]
        m.requires_grad_(False)
        """,
    "one of two tensors gets the flag": """
        m = torch.rand(3, 3)
        rows = list(m)
        if random.random() < 0.5:
            m = m.to(torch.float64) + 0
        m.requires_grad_()
        """,
    "written through a view": """
        m = torch.randn(3, 3)
        n = m.transpose(0, 1)
        n.sub_(torch.randn(3, 3, requires_grad=True))
        """,
    "dict that is made with unknown keys on one path": """
        v = torch.ones(3, requires_grad=True)
        d = {k: t * 2 for k, t in dict(a=v, b=v).items()}
        if random.random() < 0.5:
            d = dict(a=v, b=torch.arange(3.0))
        """,
    "list whose items move": """
        v = torch.ones(3, requires_grad=True)
        l = [torch.zeros(3), v]
        if random.random() < 0.5:
            l.insert(0, v * 2)
        """,
    "list that is emptied in a loop": """
        l = [torch.zeros(3), torch.zeros(3)]
        for _ in range(2):
            l.clear()
        l.append(torch.ones(3, requires_grad=True))
        """,
    "items that are live on the same path": """
        v = torch.zeros(3)
        if random.random() < 0.5:
            v = torch.randn(3, requires_grad=True).exp()
        l = [v, v]
        l.append(torch.zeros(3))
        m = torch.stack(l)
        n = torch.stack([v, v])
        """,
    "sum over a tensor that gets the flag": """
        v = torch.zeros(3)
        s = sum(v)
        v.requires_grad_()
        """,
    "flag set under inference mode": """
        v = torch.randn(3, requires_grad=True)
        with torch.inference_mode():
            v.detach_()
            m = torch.randn(3, 3, requires_grad=True).t()
            n = torch.randn(3, 3, requires_grad=True)
        w = F.leaky_relu(n, 0.1)
        """,
    "operation that saves only its weight": """
        v = torch.ones(3, requires_grad=True)
        with torch.inference_mode():
            w = torch.randn(3)
        u = v.lerp(w, 0.5)
        t = torch.where(torch.ones(3, dtype=torch.bool), v, w)
        """,
    "another dtype under no_grad": """
        v = torch.ones(3, requires_grad=True)
        with torch.no_grad():
            w = v.to(torch.float64)
        print(w)
        """,
    "in place by nothing but itself": """
        def f(s):
            torch.relu_(s)

        s = torch.ones((), requires_grad=True)
        for _ in range(2):
            t = s.clone()
        for _ in range(2):
            f(t)
        """,
    "leaf that became a result": """
        m = nn.Parameter(torch.zeros(3, 3))
        m.requires_grad_(False)
        m[:, 0] += torch.ones(3, requires_grad=True).exp()
        m += torch.randn(3, 3, requires_grad=True)
        """,
    "module frozen on one path": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3))

        net = Net()
        if random.random() < 0.5:
            net.requires_grad_(False)
        """,
    "parameter without the flag": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3), requires_grad=False)

        net = Net()
        for p in net.parameters():
            s = p.sum()
        net.requires_grad_()
        """,
    "module with a frozen part": """
        net = nn.Sequential(nn.Linear(3, 3).requires_grad_(False), nn.Linear(3, 3))
        for p in net.parameters():
            s = p.sum()
        """,
    "optimizer that the backward does not feed": """
        s = torch.ones((), requires_grad=True)
        o = torch.optim.SGD(nn.Linear(3, 3).parameters(), lr=0.1)
        for _ in range(2):
            s.backward()
            o.step()
        """,
    "creation after a shape": """
        v = torch.arange(3.0)
        with torch.no_grad():
            w = torch.ones_like(v, requires_grad=True)
        with torch.no_grad():
            w = torch.zeros_like(v[0])
        """,
    "view without history of what is frozen": """
        net = nn.Linear(3, 3)
        with torch.no_grad():
            v = net.weight[0]
        for p in net.parameters():
            p.requires_grad = False
        """,
    "view of what was detached before it gets the flag": """
        v = torch.ones(3).clone().detach()
        w = v.expand(3, 3)
        v.requires_grad = True
        """,
    "state made anew by every pass": """
        v = nn.Parameter(torch.randn(3))
        w = torch.ones(3, requires_grad=True)
        for _ in range(2):
            for _ in range(2):
                w.sum().backward()
                w = v * v
        """,
    "parameter that a write in place made a result": """
        v = torch.ones(3, requires_grad=True)
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3), requires_grad=False)

            def forward(self, x):
                return self.scale * x

        net = Net()
        net.scale.add_(v)
        net.requires_grad_()
        s = net(v)
        """,
    "model that gives a parameter as it is": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Linear(3, 3)

            def forward(self, v):
                return self.inner.bias

        net = Net()
        net.eval()
        s = net(torch.ones(3)).sum()
        """,
    "model without parameters that train": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3), requires_grad=False)

            def forward(self, v):
                return self.scale * v

        net = Net()
        net.eval()
        s = net(torch.ones(3, requires_grad=True)).sum()
        """,
    "layer in a forward that nobody trains": """
        class Net(nn.Module):
            def forward(self, v):
                return nn.Linear(3, 3)(v)

        s = Net()(torch.ones(3)).sum()
        """,
    "gradient cleared in a forward that nobody trains": """
        class Net(nn.Module):
            def forward(self, v):
                v.grad = None
                return v * 2

        s = Net()(torch.ones(3))
        """,
    "copies of what the outer iteration made": """
        with torch.no_grad():
            net = nn.Sequential(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), nn.Linear(3, 3))
        for _ in range(2):
            v = net(torch.arange(3.0)).relu()
            if random.random() < 0.5:
                for _ in range(2):
                    pass
                    v = v.clone()
            else:
                pass
        """,
    "comprehension of one tensor": """
        class Box:
            def __init__(self, v):
                self.items = [v for _ in range(2)]

        box = Box(torch.ones(3, requires_grad=True).exp())
        """,
    "inference tensor among others": """
        with torch.inference_mode():
            v = torch.ones(3, requires_grad=True)
        m = torch.eye(3)
        m[1] = v
        a = torch.ones(3) + v
        b = v + 1
        c = v.diag()
        d = v[torch.zeros(3, dtype=torch.long)]
        e = v[[0, 1]]
        """,
    "weight that a bias does not need": """
        with torch.inference_mode():
            m = torch.eye(3)
        v = F.linear(torch.eye(3), m, torch.ones(3, requires_grad=True))
        """,
    "list emptied on one path": """
        v = torch.ones(3, requires_grad=True)
        w = v * 2
        l = [v, w]
        if random.random() < 0.5:
            l.clear()
        l.append(w)
        """,
    "made anew by a later pass, and not written": """
        s = torch.ones((), requires_grad=True)
        for _ in range(2):
            t = s + s
            t.sub_(s, alpha=0.1)
            s.requires_grad_(False)
        """,
    "one of the tensors that a loop has made": """
        v = torch.ones(3)
        for _ in range(2):
            w = v.clone()
            if random.random() < 0.5:
                d = dict(a=v, b=w)
        w *= nn.Parameter(torch.randn(3))
        """,
    "one of the tensors of a comprehension": """
        v = torch.zeros(3)
        d = {k: t * 2 for k, t in dict(a=v, b=v).items()}
        v = d['a']
        v.requires_grad_()
        """,
    "integers made floats on one path": """
        v = torch.rand(3).requires_grad_()
        if random.random() < 0.5:
            v = torch.zeros(3, dtype=torch.long).float()
        print(v)
        """,
    "chain that holds itself": """
        class Net(nn.Module):
            def forward(self, v):
                w = v.exp()
                return w

        net = Net()
        v = nn.Parameter(torch.randn(3))
        for _ in range(2):
            net = nn.Sequential(net, nn.Linear(3, 3))
            v = net(v)
        """,
    "flag of a view, of which there are views": """
        m = torch.eye(3).reshape(3, 3)
        t = m.t()
        m.requires_grad_()
        """,
    "refused before it adds up": """
        v = torch.rand(3).requires_grad_()
        o = torch.optim.SGD([v], lr=0.1)
        s = v.max()
        for _ in range(2):
            if random.random() < 0.5:
                s.backward(retain_graph=True)
            o.step()
        """,
    "refused where it is live": """
        v = torch.zeros(3)
        if random.random() < 0.1:
            v = v + torch.ones(3, requires_grad=True)
        o = torch.optim.SGD([v], lr=0.1)
        print(v)
        """,
    "view of one tensor or no view": """
        m = torch.randn(3, 3)
        w = torch.rand(3).requires_grad_() * 2
        if random.random() < 0.5:
            w = m[:, 1]
        w[0] = torch.ones((), requires_grad=True)
        """,
    "result that retains its gradient, given to an optimizer": """
        v = torch.ones(3, requires_grad=True) * 2
        v.retain_grad()
        o = torch.optim.SGD([v], lr=0.1)
        """,
    "list that one path leaves empty": """
        v = torch.randn(3, requires_grad=True)
        l = [v]
        k = []
        if random.random() < 0.5:
            l.clear()
            k.append(v)
        s = sum(l)
        t = sum(k)
        """,
    "state made anew before a backward of something else": """
        v = nn.Parameter(torch.randn(3))
        w = torch.ones(3, requires_grad=True)
        s = torch.ones((), requires_grad=True)
        for _ in range(2):
            for _ in range(2):
                w.sum().backward()
                w = v * v
            s.backward()
        """,
    "view that only the other arm makes": """
        m = torch.eye(3).exp()
        if random.random() < 0.5:
            l = list(m.unbind(0))
        else:
            m.copy_(nn.Parameter(torch.zeros(3, 3)))
        """,
    "write on what the pass before had made at the same place": """
        w = torch.ones((), requires_grad=True)
        s = torch.ones((), requires_grad=True)
        for _ in range(2):
            s = s.mul(s)
            s.add_(w)
            s.backward(retain_graph=True)
        """,
    "state written in place by a constant": """
        s = torch.ones((), requires_grad=True)
        for _ in range(2):
            for _ in range(2):
                s = s.mul(s)
                s.add_(torch.zeros(()))
            s.backward(retain_graph=True)
        """,
    "older object of a place that is written in place": """
        v = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        for _ in range(2):
            w = v.softmax(0)
            for _ in range(2):
                if random.random() < 0.5:
                    break
                w.detach_()
            d = {'a': w}
        """,
    "layer that a helper of a forward builds": """
        def helper(v):
            return nn.Linear(3, 3)(v)

        class Net(nn.Module):
            def forward(self, v):
                return helper(v)

        net = Net()
        s = net(torch.ones(3)).sum()
        s.backward()
        """,
    "tensor of a pair or a number": """
        s = torch.tensor(0.5)
        t = (s, s.item())
        if random.random() < 0.5:
            t = (s, s)
        s.requires_grad_()
        """,
    "total that the iteration replaces": """
        net = nn.Linear(3, 3)
        s = torch.ones((), requires_grad=True)
        for _ in range(2):
            s = torch.maximum(s, torch.zeros(()) * s)
            s = net(torch.rand(3, 3)).sum()
        """,
    "partly frozen chain on one path": """
        net = nn.Linear(3, 3)
        if random.random() < 0.5:
            net = nn.Sequential(nn.Linear(3, 3).requires_grad_(False), nn.Linear(3, 3))
        for p in net.parameters():
            pass
        """,
    "model of its own leaves, in eval mode, back-propagated": """
        class Net(nn.Module):
            def forward(self, v):
                return torch.stack([torch.ones((), requires_grad=True), torch.zeros(())])

        net = Net().eval()
        F.mse_loss(net(torch.ones(2, requires_grad=True) * 2), torch.ones(2)).backward()
        """,
    "step before the backward of an inner loop": """
        v = torch.randn(3, requires_grad=True)
        o = torch.optim.SGD([v], lr=0.1)
        for _ in range(2):
            o.zero_grad()
            o.step()
            for _ in range(2):
                v.sum().backward()
        """,
    "graph that only writes have begun": """
        with torch.no_grad():
            v = torch.full((3,), 2.0).tanh()
        w = torch.randn(3, requires_grad=True)
        for _ in range(2):
            v.copy_(w)
        for _ in range(2):
            (v * 2).sum().backward()
        """,
    "input of a frozen layer, overwritten": """
        v = torch.ones(3, requires_grad=True) * 1
        s = (nn.Linear(3, 3).requires_grad_(False))(v).sum()
        v.zero_()
        s.backward()
        """,
    "total that grows, and is scaled in place": """
        net = nn.Linear(3, 3)
        s = torch.zeros(())
        t = torch.zeros(())
        for _ in range(2):
            w = net(torch.ones(3)).sum()
            s = s + w
            s *= 2
            t.add_(w)
            t.mul_(torch.tensor(0.5))
        """,
    "views of a comprehension, and the flag of what they view": """
        m = torch.randn(3, 3, requires_grad=True)
        for _ in range(2):
            for _ in range(2):
                if random.random() < 0.5:
                    pass
                else:
                    l = [v for v in list(m)]
            m.requires_grad_(False)
        """,
    "list by display or by comprehension": """
        l = [torch.rand(3).requires_grad_()]
        v = torch.ones(3)
        if random.random() < 0.5:
            l = [v for _ in range(2)]
        """,
    "object of the pass before, that got the flag": """
        v2 = torch.ones(3)
        s5 = torch.ones((), requires_grad=True)
        for _ in range(2):
            for _ in range(2):
                t8 = (v2.detach(), s5)
                v3 = t8[0]
                for _ in range(2):
                    v3.requires_grad_()
        """,
    "flag taken from a view without history": """
        m4 = torch.randn(3, 3, requires_grad=True)
        for _ in range(2):
            for _ in range(2):
                with torch.set_grad_enabled(False):
                    m4 = m4.transpose(0, 1)
        m4.requires_grad_(False)
        """,
    "written through, where one of two has a view": """
        v11 = torch.arange(3.0)
        if random.random() < 0.5:
            m8 = v11.diag()
            for _ in range(2):
                v13 = m8.diagonal()
        else:
            m8 = torch.eye(3)
        for _ in range(2):
            if random.random() < 0.5:
                pass
            else:
                m8.add_((nn.Parameter(torch.zeros(3, 3))))
        """,
    "optimizer of inference tensors": """
        with torch.inference_mode():
            o = torch.optim.Adam(nn.Linear(3, 3).parameters())
            o.step()
        s = torch.ones((), requires_grad=True)
        float(s)
        """,
    "live after one iteration alone": """
        v = torch.ones(3, requires_grad=True)
        for _ in range(2):
            s = v.pow(2).mean()
            v = torch.zeros(3)
        float(s)
        """,
    "in eval mode, or made anew": """
        class P1(nn.Module):
            @torch.no_grad()
            def forward(self, v):
                return v.detach()
        p1 = P1()
        m4 = torch.eye(3)
        p1.eval()
        if random.random() < 0.5:
            p1 = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
        m4 = p1(m4)
        m11 = m4 * 2
        """,
    "total that a called function writes in place": """
        def f0(v2):
            v2.sub_(nn.Parameter(torch.randn(3)), alpha=0.1)
        v9 = -torch.rand(3).requires_grad_()
        for _ in range(2):
            f0(v9)
        """,
    "state that a model writes in place": """
        class P1(nn.Module):
            def forward(self, v):
                v.add_(torch.rand(3).requires_grad_())
                return v + 1
        p1 = P1()
        v4 = torch.linspace(0, 1, 3)
        for _ in range(2):
            F.mse_loss(p1(v4), v4).backward()
        """,
    "sum into a part of a tensor, on one branch": """
        v5 = torch.rand(3).requires_grad_() ** 2
        m3 = torch.rand(3, 3)
        for _ in range(2):
            for _ in range(2):
                v2 = nn.Linear(3, 3)(v5)
            if random.random() < 0.5:
                m3[:, 0] += v2
        """,
    "one of two lists": """
        class Box:
            def __init__(self, v):
                self.items = [v]

            def turn(self):
                if random.random() < 0.5:
                    self.items = [torch.zeros(3)]
                return torch.stack(self.items)

        box = Box(torch.tensor([1.0, 2.0, 3.0], requires_grad=True))
        v13 = box.turn()
        """,
    "element written where gradients are off": """
        v1 = torch.zeros(3)
        with torch.no_grad():
            v6 = torch.linspace(0, 1, 3)
            v1[0] = torch.ones((), requires_grad=True)
        """,
    "cut in a forward that is called where gradients are off": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3))

            @torch.enable_grad()
            def forward(self, v):
                return self.scale.detach().requires_grad_()

        net = Net()
        with torch.no_grad():
            m = net(torch.ones(3))
        """,
    "state written through what it is a view of, in a loop over one item": """
        v = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        m = torch.eye(3)
        if random.random() < 0.5:
            v = m[:, 1]
        l = [v]
        for w in l[-2:]:
            m.sub_(nn.Parameter(torch.zeros(3, 3)), alpha=0.1)
            v.sum().backward()
        """,
    "state written through what it is a view of, which goes on as something else": """
        m = torch.eye(3)
        v = m[:, 1]
        for _ in range(2):
            for _ in range(2):
                m.sub_(nn.Parameter(torch.zeros(3, 3)), alpha=0.1)
                m = m * 2
            v.sum().backward()
        """,
    "object that a sum in place has given another token": """
        v1 = torch.zeros(3)
        t5 = (v1, 1.0)
        v1 += torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        if random.random() < 0.5:
            v1.detach_()
        """,
    "flag of what requires grad already": """
        s = torch.randn(3, requires_grad=True)[1]
        for _ in range(2):
            if random.random() < 0.5:
                s.requires_grad_()
            s.backward(retain_graph=True)
        """,
    "built by a function that a forward calls which nobody calls": """
        class K(nn.Module):
            def forward(self, v):
                return run(v)

        def run(v):
            return nn.Linear(3, 3)(v)

        v = run(torch.ones(3))
        """,
    "state of an outer loop that an inner one doubles": """
        v3 = torch.full((3,), 2.0)
        for _ in range(2):
            for _ in range(2):
                v3 = torch.add(v3, v3)
            v3 = (nn.Linear(3, 3))(v3).relu()
        torch.no_grad()
        """,
    "state of loops that have ended": """
        v3 = torch.randn(3, requires_grad=True)
        s6 = sum(v3)
        if random.random() < 0.5:
            for _ in range(2):
                for _ in range(2):
                    s6 = 2 * s6
                    v3.sum().backward()
        s6.backward(retain_graph=True)
        """,
    "view of a parameter that one path detaches in place": """
        m = nn.Parameter(torch.zeros(3, 3))
        with torch.inference_mode():
            v = m.diagonal()
        for _ in range(2):
            if random.random() < 0.5:
                m.detach_()
        print(v)
        """,
    "one of two tensors detached in place by a function": """
        def turn(v):
            v.detach_()
            return torch.where(torch.ones(3, dtype=torch.bool), v, torch.ones(3))

        v2 = nn.Parameter(torch.randn(3))
        for _ in range(2):
            if random.random() < 0.5:
                v2 = turn(v2)
        print(v2)
        """,
    "flag taken from a tensor that another joins": """
        s3 = torch.ones((), requires_grad=True)
        s3.requires_grad_(False)
        for _ in range(2):
            if random.random() < 0.5:
                s3 = torch.ones(3).norm()
        float(s3)
        """,
    "in-place product that is written in place again": """
        v3 = torch.randn(3)
        v4 = torch.randn(3)
        v3 *= torch.randn(3, requires_grad=True)
        v3.add_(v4)
        v3.sum().backward()
        """,
    "parameter that is cut in a pass in which it is used, and in one in which it is frozen": """
        class P1(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3))

            def forward(self, v):
                b = self.scale.detach()
                return self.scale.masked_fill((torch.tensor([True, False, True])), 0.0)

        p1 = P1()
        v4 = torch.arange(3.0)
        for _ in range(2):
            v4 = p1(v4)
            p1.requires_grad_(False)
        """,
    "flag of an inference tensor of which the pass before made views": """
        for _ in range(2):
            with torch.inference_mode():
                u = torch.rand(3).requires_grad_()
                w = u.unsqueeze(0)
                v2 = w.squeeze(0)
                d5 = [v2, v2.detach()]
        """,
    "same object of an inference tensor with the flag": """
        @torch.inference_mode()
        def f1(s3):
            m5 = torch.eye(3) + 1
            return m5.detach().requires_grad_()

        m11 = f1(0)
        m12 = (m11.contiguous() * 1)
        m13 = m12.tanh()
        """,
    "view of a view that the place made in the pass before": """
        m9 = torch.randn(3, 3)
        m11 = m9.t()
        for _ in range(2):
            m11 = m11.transpose(0, 1)
        m11.sub_((torch.randn(3, 3, requires_grad=True)), alpha=0.1)
        """,
    "one of two items of a comprehension detached in place": """
        v5 = torch.ones(3) * torch.rand(3).requires_grad_()
        d7 = {k: v * 2 for k, v in (dict(a=v5, b=v5)).items()}
        v9 = d7['a']
        v9.detach_()
        """,
    "slice of a list of which only other items are live": """
        l1 = [v * 2 for v in torch.randn(3, 3, requires_grad=True)]
        l1.extend([torch.zeros(3), torch.ones(3)])
        for v in l1[-2:]:
            print(v)
        """,
    "frozen module that one of two modules holds which is unfrozen": """
        p10 = nn.Linear(3, 3)
        for p in p10.parameters():
            p.requires_grad = False
        p13 = nn.Sequential(p10, nn.Linear(3, 3))
        if random.random() < 0.5:
            p13 = nn.Linear(3, 3)
        p13.requires_grad_()
        v = p10(torch.ones(3))
        """,
    "view of a parameter that was detached and became a result": """
        m2 = nn.Parameter(torch.zeros(3, 3))
        for _ in range(2):
            v5 = m2[:, 1]
        v9 = v5.softmax(0)
        m2.detach_()
        m2[:, 0] += v9
        m2[0].zero_()
        """,
    "view of a sum in place that is detached in place": """
        v8 = torch.full((3,), 2.0)
        v12 = v8.clone()
        v12 *= nn.Parameter(torch.randn(3))
        with torch.no_grad():
            s21 = v12[0]
        v12.detach_()
        """,
    "inference tensor beside a view without a history": """
        k = torch.rand(3).requires_grad_()
        with torch.no_grad():
            v = k.view(3)
        with torch.inference_mode():
            i = torch.ones(3).tanh()
        s = torch.dot(i, v)
        """,
    "view of a detached parameter that is written in loops": """
        m5 = nn.Parameter(torch.zeros(3, 3))
        s8 = m5.mean()
        m5.detach_()
        s13 = m5[1, 2]
        for _ in range(2):
            for _ in range(2):
                s13.copy_(s8)
        """,
}


def found(name: str) -> str:
    """The whole text of a program."""
    return HEADER + dedent(FOUND[name])
